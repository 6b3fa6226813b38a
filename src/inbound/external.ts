/** How a preview is reached from outside the cluster. */
export type External =
  | { readonly type: "NodePort" | "LoadBalancer" }
  /** `ingressClass` undefined stands for the cluster's default. */
  | { readonly type: "Ingress"; readonly host: string; readonly ingressClass: string | undefined };

/** Reads `nodeport`, `loadbalancer`, `ingress=HOST` or `ingress=HOST@CLASS`. Throws a TypeError that quotes what it cannot read. */
export function parseExternal(text: string): External {
  if (text === "nodeport") return { type: "NodePort" };
  if (text === "loadbalancer") return { type: "LoadBalancer" };
  const [, host, ingressClass] = /^ingress=([^@]*)(?:@(.+))?$/.exec(text) ?? [];
  if (host === undefined) {
    throw new TypeError(`"${text}" is no way in from outside: write nodeport, loadbalancer or ingress=HOST`);
  }
  if (
    host.length > 253 || !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(host)
  ) {
    throw new TypeError(
      `"${host}" in "${text}" is no name of a host: write ingress=HOST, as in ingress=orders.example.com`,
    );
  }
  return { type: "Ingress", host, ingressClass };
}
