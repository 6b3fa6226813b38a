/** What a browser is to open. */
export interface BrowserAddress {
  /** `http://orders:8080/path`: with its scheme and a slash, so that no browser takes a name for something to search for. */
  readonly href: string;
  /** Why `href` has another host than was asked for; undefined where it has not. */
  readonly because: string | undefined;
}

/**
 * Top-level domains on the HSTS preload list that every browser brings along (seen in Chromium 156): whatever is below them is asked for by
 * https alone, and `orders.dev` may well be a service in namespace dev.
 */
const httpsOnly = new Set(
  "app bank boo channel dad day dev eat esq fly foo ing insurance meet meme mov new nexus page phd play prof rsvp search zip"
    .split(" "),
);

/**
 * Reads what somebody would type to reach a service: `orders`, `orders:8080/path`, `orders.dev`, `http://orders/`, `10.96.0.7`. Without
 * scheme it is http, or https where the port is 443. Throws a TypeError for what is no address and for every scheme but these two.
 */
export function browserAddress(text: string): BrowserAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d+(?:[/?#]|$))/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw new TypeError(`"${text}" is not for the cluster: hawser browser opens http and https addresses alone`);
  }
  const url = parsed(scheme === undefined ? `http://${text}` : text);
  if (url === undefined) {
    throw new TypeError(`"${text}" is no address: write it as orders, orders:8080/path or http://orders.dev/`);
  }
  if (scheme === undefined && /^[^/?#]*:443(?:[/?#]|$)/.test(text)) {
    url.protocol = "https:";
    url.port = "";
  }
  const [service, namespace = "", more] = url.hostname.split(".");
  if (url.protocol === "https:" || more !== undefined || !httpsOnly.has(namespace)) {
    return { href: url.href, because: undefined };
  }
  url.hostname = `${service}.${namespace}.svc`;
  return { href: url.href, because: `browsers ask for everything in .${namespace} by https` };
}

function parsed(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.hostname ? url : undefined;
}
