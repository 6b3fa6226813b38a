import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { explainNoReadyPod } from "../../src/cluster/no_ready_pod.ts";
import type { Endpoint, Pod, Service } from "../../src/cluster/directory.ts";

const service: Service = {
  namespace: "dev",
  name: "web",
  kind: "ClusterIP",
  clusterIPs: [],
  externalName: "",
  ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "web" }],
  selector: { app: "web", tier: "front" },
  affinity: 0,
  publishNotReadyAddresses: false,
};
const pod = (name: string, reason: string, phase = "Running"): Pod => ({
  namespace: "dev",
  name,
  uid: name,
  ips: [],
  hostname: "",
  subdomain: "",
  labels: {},
  phase,
  ready: false,
  terminating: false,
  reason,
  ports: [],
});
const endpoint = (name: string, ready = false): Endpoint => ({
  addresses: ["10.244.0.5"],
  hostname: "",
  pod: { namespace: "dev", name, uid: name },
  ready,
  serving: ready,
  terminating: false,
  ports: [],
});

describe("explainNoReadyPod", () => {
  it("names the pods with their reasons and where to look", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [endpoint("web-1")], [
        pod("web-1", "Unschedulable: no node"),
        pod("web-2", "Terminating"),
      ]),
      'Service "web" in namespace "dev" has no ready pod: web-1 (Unschedulable: no node); web-2 (Terminating). ' +
        "See: kubectl -n dev describe pod web-1",
    );
  });

  it("leads to the logs of a pod that crashes", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [], [
        pod("web-1", "ContainerCreating"),
        pod("web-2", "CrashLoopBackOff: back-off 40s"),
      ]),
      'Service "web" in namespace "dev" has no ready pod: web-1 (ContainerCreating); web-2 (CrashLoopBackOff: back-off 40s). ' +
        "See: kubectl -n dev logs web-2 --previous",
    );
  });

  it("counts the pods beyond the third and leaves out the completed ones", () => {
    const pods = ["a", "b", "c", "d", "e"].map((name) => pod(name, "Pending"));
    assertEquals(
      explainNoReadyPod(service, 80, [], [pod("job", "Completed", "Succeeded"), ...pods]),
      'Service "web" in namespace "dev" has no ready pod: a (Pending); b (Pending); c (Pending); and 2 more. ' +
        "See: kubectl -n dev describe pod a",
    );
  });

  it("says when all pods ran to their end", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [], [pod("job", "Completed", "Succeeded")]),
      'Service "web" in namespace "dev" has no ready pod: job (Completed). Its pods ran to their end; start its workload again',
    );
  });

  it("says that no pod carries the labels", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [], []),
      'Service "web" in namespace "dev" has no pods: none with the labels app=web,tier=front is to be seen. ' +
        "Is its workload scaled to 0?",
    );
  });

  it("says that a service without selector waits for endpoints", () => {
    assertEquals(
      explainNoReadyPod({ ...service, selector: {} }, 80, [], []),
      'Service "web" in namespace "dev" has no endpoints: it has no selector, so its EndpointSlice has to be made by hand',
    );
  });

  it("says what it cannot know where pods may not be read", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [endpoint("web-1"), endpoint("web-2")], []),
      'Service "web" in namespace "dev" has no ready endpoint (web-1, web-2); why cannot be told, pods may not be read here',
    );
  });

  it("names the container port that no ready pod has", () => {
    assertEquals(
      explainNoReadyPod(service, 80, [endpoint("web-1", true)], []),
      'Service "web" in namespace "dev" has ready pods, but none with a container port named "web", which its port 80 leads to',
    );
  });
});
