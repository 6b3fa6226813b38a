/**
 * A PAC script that does what the fixed proxy of Windows does: `server` is `proxy:3128` for everything, or `http=a:1;https=b:2;socks=c:3`; `override`
 * lists hosts that go without, by wildcards: `*.corp.example;10.*;<local>`, the last for names without a dot.
 */
export function staticPac(server: string, override: string): string {
  const proxies = Object.fromEntries(
    server.split(/[;\s]+/).filter((part) => part !== "").map((part) => {
      const [, scheme = "", place = ""] = /^(?:([a-z]+)=)?(?:[a-z0-9]+:\/\/)?([^/]+)/i.exec(part) ?? [];
      const kind = scheme.toLowerCase();
      return [kind, `${kind === "socks" ? "SOCKS" : "PROXY"} ${place}`];
    }),
  );
  const direct = override.toLowerCase().split(/[;\s]+/).filter((entry) => entry !== "");
  const patterns = direct.filter((entry) => entry !== "<local>").map((entry) => entry.replace(/^[a-z]+:\/\//, ""));
  return `function FindProxyForURL(url, host) {
  var proxies = ${JSON.stringify(proxies)};
  var direct = ${JSON.stringify(patterns)};
  if (${direct.includes("<local>")} && isPlainHostName(host)) return "DIRECT";
  for (var i = 0; i < direct.length; i++) {
    if (shExpMatch(host.toLowerCase(), direct[i])) return "DIRECT";
  }
  return proxies[url.substring(0, url.indexOf(":"))] || proxies[""] || proxies.socks || "DIRECT";
}
`;
}
