import { BlockList, isIP } from "node:net";

/** A proxy as the user has set it. */
export interface ProxySetting {
  /** `socks5` stands for `socks5h` too and `socks4` for `socks4a`: names always go to the proxy, as Go does it. */
  readonly protocol: "http" | "https" | "socks4" | "socks5";
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty for none. */
  readonly username: string;
  /** Empty for none. */
  readonly password: string;
  /** Where it was set, for messages: `HTTPS_PROXY`, `proxy-url`. */
  readonly source: string;
}

/** What a connection carries; `tcp` when nobody knows. */
export type ProxiedScheme = "http" | "https" | "tcp";

/** Variables by name, as `Deno.env.toObject()` gives them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const protocols: Readonly<Record<string, { protocol: ProxySetting["protocol"]; port: number }>> = {
  "http:": { protocol: "http", port: 80 },
  "https:": { protocol: "https", port: 443 },
  "socks:": { protocol: "socks5", port: 1080 }, // GNOME's spelling
  "socks5:": { protocol: "socks5", port: 1080 },
  "socks5h:": { protocol: "socks5", port: 1080 },
  "socks4:": { protocol: "socks4", port: 1080 },
  "socks4a:": { protocol: "socks4", port: 1080 },
};

/**
 * Reads a proxy URL: `http://user:password@proxy:3128`, `socks5h://proxy`, or `proxy:3128`, which means `http`. Throws a TypeError
 * whose message names `source` and leaves the value out, as it may hold a password.
 */
export function parseProxyUrl(text: string, source: string): ProxySetting {
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  } catch {
    throw new TypeError(`${source} is not a proxy URL: write it as http://HOST:PORT or socks5h://HOST:PORT`);
  }
  const known = protocols[url.protocol];
  if (!known) {
    throw new TypeError(
      `${source} names a kind of proxy that hawser does not know, "${url.protocol}//": use http, https, socks5h or socks4a`,
    );
  }
  if (url.hostname === "") {
    throw new TypeError(`${source} names no host: write it as http://HOST:PORT or socks5h://HOST:PORT`);
  }
  return {
    protocol: known.protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? known.port : Number(url.port),
    username: decode(url.username),
    password: decode(url.password),
    source,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare percent sign that somebody did not escape
  }
}

/**
 * The user's own proxy settings: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case, by the rules of Go's
 * `httpproxy`, which kubectl follows: upper case first, `localhost` and loopback addresses never through a proxy, `NO_PROXY` entries
 * are hosts (with their subdomains), `.suffix`es, `*.suffix`es, addresses, CIDR ranges, each but the last with an optional port, or
 * `*`. `ALL_PROXY`, which Go lacks, stands in for the other two, as in curl.
 */
export class ProxySettings {
  readonly #values: ReadonlyMap<string, string>;
  readonly #bypass: readonly Bypass[];

  constructor(env: Environment) {
    this.#values = new Map(
      ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => {
        const value = read(env, name);
        return value === "" ? [] : [[name, value]];
      }),
    );
    this.#bypass = read(env, "NO_PROXY").split(",").flatMap((entry) => parseBypass(entry.trim().toLowerCase()));
  }

  /**
   * The proxy through which a connection goes, undefined for none. A `tcp` connection goes the way of `https` to port 443, the way of `http` to
   * port 80, and else through `ALL_PROXY` alone: programs that speak neither ask none of the others. Throws a TypeError when
   * the variable that applies is no proxy URL.
   */
  proxyFor(scheme: ProxiedScheme, host: string, port: number): ProxySetting | undefined {
    const variable =
      { http: "HTTP_PROXY", https: "HTTPS_PROXY", tcp: { 443: "HTTPS_PROXY", 80: "HTTP_PROXY" }[port] }[scheme];
    const source = [variable, "ALL_PROXY"].find((name) => name !== undefined && this.#values.has(name));
    if (source === undefined || this.#bypassed(host.toLowerCase().replace(/\.$/, ""), port)) return undefined;
    return parseProxyUrl(this.#values.get(source)!, source);
  }

  #bypassed(host: string, port: number): boolean {
    if (host === "localhost" || holds(loopback, host)) return true;
    return this.#bypass.some((matches) => matches(host, port));
  }
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** Whether `host` is an address, and one of the list. */
function holds(list: BlockList, host: string): boolean {
  return isIP(host) !== 0 && list.check(host, family(host));
}

function read(env: Environment, name: string): string {
  return (env[name] || env[name.toLowerCase()] || "").trim();
}

type Bypass = (host: string, port: number) => boolean;

/** One entry of `NO_PROXY`, lower case; none or one matcher. What cannot be understood matches nothing, as in Go. */
function parseBypass(entry: string): Bypass[] {
  if (entry === "*") return [() => true];
  const list = new BlockList();
  const [, network = "", prefix] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(network)) {
    if (Number(prefix) > (isIP(network) === 4 ? 32 : 128)) return [];
    list.addSubnet(network, Number(prefix), family(network));
    return [(host) => holds(list, host)];
  }
  const { name, port: wanted } = splitPort(entry);
  if (name === "") return [];
  const portMatches = (port: number) => wanted === undefined || wanted === port;
  if (isIP(name)) {
    list.addAddress(name, family(name));
    return [(host, port) => holds(list, host) && portMatches(port)];
  }
  const bare = name.replace(/^\*?\./, "");
  const exact = bare === name;
  return [(host, port) => (host.endsWith(`.${bare}`) || exact && host === bare) && portMatches(port)];
}

/** Splits `host:port` and `[v6]:port`; what has no port is all name. */
function splitPort(entry: string): { name: string; port: number | undefined } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const name = bracketed ?? plain ?? entry;
  return { name, port: port === undefined ? undefined : Number(port) };
}
