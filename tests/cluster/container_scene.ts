import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { FoundContainer } from "../../src/cluster/find_container.ts";
import { FakeApi } from "./fake_api.ts";

/** ConfigMap `app` and Secret `db` in namespace `dev`. */
export function configApi(): FakeApi {
  const api = new FakeApi();
  api.put("/api/v1/namespaces/dev/configmaps", {
    metadata: { name: "app" },
    data: { LEVEL: "info", "1DIGIT": "one", "dotted.key": "d", "app.yml": "a: 1\n" },
    binaryData: { "logo.bin": "AAEC/w==" },
  });
  api.put("/api/v1/namespaces/dev/secrets", {
    metadata: { name: "db" },
    data: { PASSWORD: btoa("s3cret$(X)"), USER: btoa("joe"), KEY: "/wA=" },
  });
  return api;
}

const metadata = {
  name: "orders-1",
  uid: "6f",
  labels: { tier: "back", app: "orders" },
  annotations: { note: 'a "b"\nc' },
};

/** A container of a running pod in namespace `dev`. */
export function found(container: Partial<V1Container>, spec: Partial<V1Pod["spec"]> = {}): FoundContainer {
  const whole: V1Container = { name: "api", ...container };
  const pod: V1Pod = {
    metadata,
    spec: { containers: [whole], nodeName: "node-1", ...spec },
    status: { podIP: "10.1.2.3", podIPs: [{ ip: "10.1.2.3" }, { ip: "fd00::3" }], hostIP: "192.168.0.1" },
  };
  return { namespace: "dev", container: whole, metadata, spec: pod.spec!, pod };
}

/** The same before there is any pod. */
export function withoutPod(all: FoundContainer): FoundContainer {
  const { labels, annotations } = all.metadata;
  return { ...all, metadata: { labels, annotations }, pod: undefined };
}
