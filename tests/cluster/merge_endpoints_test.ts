import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Endpoint, PodRef } from "../../src/cluster/directory.ts";
import { mergeEndpoints } from "../../src/cluster/merge_endpoints.ts";
import { endpointsOfSlice } from "../../src/cluster/slice_model.ts";

const targetRef = (name: string, uid = `uid-${name}`) => ({ kind: "Pod", namespace: "dev", name, uid });
const nobody = () => undefined;
const pod: PodRef = { namespace: "dev", name: "web-0", uid: "uid-web-0" };

function slice(
  addresses: string[],
  extra: Record<string, unknown> = {},
  ports = [{ name: "http", port: 8080, protocol: "TCP" }],
) {
  return {
    metadata: { namespace: "dev" },
    addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
    ports,
    endpoints: [{ addresses, ...extra }],
  };
}

describe("mergeEndpoints", () => {
  const endpoint = (...args: Parameters<typeof slice>) => endpointsOfSlice(slice(...args))[0]!;

  it("unites both families of one pod, IPv4 first", () => {
    const merged = mergeEndpoints([
      endpoint(["fd00::5"], { targetRef: targetRef("web-0") }),
      endpoint(["10.244.0.5"], { targetRef: targetRef("web-0") }),
    ], nobody);
    assertEquals(merged.length, 1);
    assertEquals(merged[0]?.addresses, ["10.244.0.5", "fd00::5"]);
    assertEquals(merged[0]?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
  });

  it("takes two pods of one name for two endpoints", () => {
    const merged = mergeEndpoints([
      endpoint(["10.244.0.5"], { targetRef: targetRef("web-0", "old"), conditions: { ready: false } }),
      endpoint(["10.244.0.6"], { targetRef: targetRef("web-0", "new") }),
    ], nobody);
    assertEquals(merged.map(({ pod, ready }) => [pod?.uid, ready]), [["new", true], ["old", false]]);
  });

  it("believes the better condition while an endpoint moves between slices", () => {
    const merged = mergeEndpoints([
      endpoint(["10.244.0.5"], {
        targetRef: targetRef("web-0"),
        conditions: { ready: false, serving: true, terminating: true },
      }),
      endpoint(["10.244.0.5"], { targetRef: targetRef("web-0") }),
    ], nobody);
    assertEquals(merged.map(({ ready, serving, terminating }) => [ready, serving, terminating]), [[true, true, false]]);
  });

  it("keeps each pod's own number of a named port", () => {
    const merged = mergeEndpoints([
      endpoint(["10.244.0.5"], { targetRef: targetRef("web-0") }, [{ name: "http", port: 8080, protocol: "TCP" }]),
      endpoint(["10.244.0.6"], { targetRef: targetRef("web-1") }, [{ name: "http", port: 9090, protocol: "TCP" }]),
    ], nobody);
    assertEquals(merged.map(({ ports }) => ports[0]?.port), [8080, 9090]);
  });

  it("finds the pod of a hand-made endpoint by its address, and only then joins it with the pod's own", () => {
    const merged = mergeEndpoints([
      endpoint(["10.244.0.5"], { targetRef: targetRef("web-0") }),
      endpoint(["10.244.0.5"], {}, [{ name: "admin", port: 9090, protocol: "TCP" }]),
      endpoint(["192.168.0.9"]),
    ], (address) => address === "10.244.0.5" ? pod : undefined);
    assertEquals(merged.map(({ pod }) => pod), [{ namespace: "dev", name: "web-0", uid: "uid-web-0" }, undefined]);
    assertEquals(merged[0]?.ports.map(({ name }) => name), ["http", "admin"]);
  });

  it("sorts by pod, whatever the order of the slices", () => {
    const endpoints = ["c", "a", "b"].map((name, at) => endpoint([`10.0.0.${at + 1}`], { targetRef: targetRef(name) }));
    const names = (list: readonly Endpoint[]) => mergeEndpoints(list, nobody).map(({ pod }) => pod?.name);
    assertEquals(names(endpoints), ["a", "b", "c"]);
    assertEquals(names(endpoints.toReversed()), ["a", "b", "c"]);
  });
});
