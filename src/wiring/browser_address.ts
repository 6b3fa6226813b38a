/**
 * Reads what somebody would type to reach a service: `orders`, `orders:8080/path`, `orders.dev`, `http://orders/`, `10.96.0.7`. Without
 * scheme it is http, or https where the port is 443. The answer has its scheme and a slash, so that no browser takes a name for something to search for.
 * Throws a TypeError for what is no address and for every scheme but these two.
 */
export function browserAddress(text: string): string {
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
  return url.href;
}

function parsed(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.hostname ? url : undefined;
}
