import type { Directory } from "../cluster/directory.ts";
import type { ProxySetting } from "../platform/proxy_settings.ts";

/** What a PAC file is made from. */
export interface PacOptions {
  /** Ours. */
  readonly port: number;
  readonly directory: Pick<Directory, "namespace" | "namespaces" | "zone" | "services">;
  /** The user's own proxy for what is not the cluster's, if there is one. */
  readonly fallback?: ProxySetting;
  /** The PAC script that decides about what is not the cluster's, instead of `fallback`. */
  readonly outside?: string;
}

/**
 * A proxy auto-configuration file for browsers: names and addresses of the cluster go to our proxy, the rest goes as it did. With a
 * proxy of the user's own the rest comes to us too, because we know its exceptions (`NO_PROXY`); the browser goes to that proxy by itself when
 * we are gone. Where the user has a PAC script, that one goes on deciding, inside of ours. The script is ECMAScript 3, which all of Chromium, Firefox and Windows understand, and it never asks DNS.
 */
export function pacFile({ port, directory, fallback, outside }: PacOptions): string {
  const ours = `PROXY 127.0.0.1:${port}`;
  const services = directory.services();
  const own = services.filter((service) => service.namespace === directory.namespace);
  const exact = [...own.map((service) => service.name), ...services.flatMap((service) => service.clusterIPs)];
  const suffixes = [
    directory.zone,
    "svc",
    ...directory.namespaces,
    ...services.map((service) => service.namespace),
    // `web-0.web`: the pods of a StatefulSet have names below that of their service.
    ...own.filter((service) => service.kind === "Headless").map((service) => service.name),
  ];
  return `// hawser: names and addresses of the cluster go through its proxy
var exact = ${literal(Object.fromEntries(exact.map((host) => [host, 1])))};
var suffixes = ${literal([...new Set(suffixes)].map((name) => `.${name}`))};
${outside === undefined ? "" : wrapped(outside)}
function FindProxyForURL(url, asked) {
  var host = asked.toLowerCase().replace(/\\.$/, "").replace(/^\\[(.*)\\]$/, "$1");
  if (host === "localhost" || /^127\\./.test(host) || host === "::1") return "DIRECT";
  if (Object.prototype.hasOwnProperty.call(exact, host)) return ${literal(ours)};
  for (var i = 0; i < suffixes.length; i++) {
    var at = host.length - suffixes[i].length;
    if (at > 0 && host.indexOf(suffixes[i], at) === at) return ${literal(ours)};
  }
  return ${
    outside !== undefined ? "outside(url, asked)" : literal(fallback ? `${ours}; ${directive(fallback)}` : "DIRECT")
  };
}
`;
}

/** In a function of its own, so that its names and ours do not meet. */
function wrapped(script: string): string {
  return `var outside = (function () {\n${script}\nreturn FindProxyForURL;\n})();\n`;
}

function directive({ protocol, host, port }: ProxySetting): string {
  const word = { http: "PROXY", https: "HTTPS", socks4: "SOCKS", socks5: "SOCKS5" }[protocol];
  return `${word} ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** JSON is JavaScript, but for two line ends that old engines take as such inside of strings. */
function literal(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/[\u2028\u2029]/g, (char) => char === "\u2028" ? "\\u2028" : "\\u2029");
}
