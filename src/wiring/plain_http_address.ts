/** What a browser is to open. */
export interface PlainHttpAddress {
  /** A URL. */
  readonly href: string;
  /** Why it has another host than was asked for; undefined where it has not. */
  readonly because: string | undefined;
}

/**
 * Top-level domains on the HSTS preload list that every browser brings along (seen in Chromium 156): they and whatever is below them are asked for by
 * https alone, and `orders.dev` may well be a service in namespace dev, `search` one of any.
 */
const httpsOnly = new Set(
  "app bank boo channel dad day dev eat esq fly foo ing insurance meet meme mov new nexus page phd play prof rsvp search zip"
    .split(" "),
);

/** A URL by which a browser asks for a service by http where that was meant: in its longer name, where it would insist on https. `namespace` is the one of short names. */
export function plainHttpAddress(href: string, namespace: string): PlainHttpAddress {
  const url = new URL(href);
  const [service = "", own = namespace, more] = url.hostname.split(".");
  const last = url.hostname.split(".").at(-1) ?? "";
  if (url.protocol === "https:" || more !== undefined || !httpsOnly.has(last)) return { href, because: undefined };
  url.hostname = `${service}.${own}.svc`;
  const what = last === service ? last : `everything in .${last}`;
  return { href: url.href, because: `browsers ask for ${what} by https` };
}
