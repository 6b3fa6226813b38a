/**
 * A proxy auto-configuration script for browsers: everything but this machine goes to the proxy, which knows what is the cluster's and sends
 * the rest where it would have gone; once the proxy is gone, browsers go direct.
 */
export function proxyScript(port: number): string {
  return `function FindProxyForURL(url, host) {
  if (host === "localhost" || /^127\\./.test(host) || host === "::1" || host === "[::1]") return "DIRECT";
  return "PROXY 127.0.0.1:${port}; DIRECT";
}
`;
}
