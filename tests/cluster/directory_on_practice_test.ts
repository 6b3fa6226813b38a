import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chooseEndpoints } from "../../src/cluster/choose_endpoints.ts";
import type { Directory, Lookup } from "../../src/cluster/directory.ts";
import { explainNoReadyPod } from "../../src/cluster/no_ready_pod.ts";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Practice, type PracticeOptions, startPractice } from "../practice/practice.ts";

const never = new AbortController().signal;

/** Runs `body` with a directory of the namespace `dev` of a practice cluster. */
async function withDirectory(
  options: PracticeOptions,
  prepare: (practice: Practice) => Promise<void>,
  body: (directory: Directory, practice: Practice) => Promise<void>,
): Promise<void> {
  await using practice = await startPractice(options);
  await prepare(practice);
  const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
  try {
    await Deno.writeTextFile(kubeconfig, practice.kubeconfig());
    const api = openApi(await openAccess({ kubeconfig }));
    try {
      const directory = await openDirectory(api, { namespace: "dev" }, { clock: systemClock, log: silentLog });
      try {
        await body(directory, practice);
      } finally {
        directory.close();
      }
    } finally {
      api.close();
    }
  } finally {
    await Deno.remove(kubeconfig);
  }
}

/** Resolves once `look` is true; it is asked again after each change of the view. */
function seen(directory: Directory, look: () => Promise<boolean>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => look().then((found) => found && resolve(), reject);
  const stop = directory.onChange(check);
  check();
  return promise.finally(stop);
}

/** Names of the pods that a connection to `host:port` could go to. */
async function pods(directory: Directory, host: string, port: number): Promise<string[]> {
  const found: Lookup = await directory.lookup(host, never);
  assert(found.kind === "service", `${host}: ${found.kind}`);
  const choice = chooseEndpoints(found.service, port, await directory.endpoints(found.service, never));
  return choice.kind === "candidates"
    ? choice.candidates.map(({ endpoint, port }) => `${endpoint.pod?.name}:${port}`)
    : [];
}

describe("a directory of the practice cluster", () => {
  it("knows where each name of a service leads", async () => {
    await withDirectory({}, async (practice) => {
      const ports = [{ name: "http", port: 80, targetPort: "http" }];
      await practice.addService({ namespace: "dev", name: "orders", ports, replicas: 2 });
      await practice.addService({ namespace: "dev", name: "web", kind: "Headless", replicas: 2 });
      await practice.addService({ namespace: "shop", name: "cart" });
    }, async (directory) => {
      const orders = await pods(directory, "orders", 80);
      assertEquals(orders.length, 2);
      assert(orders.every((each) => each.endsWith(":8080")), orders.join());
      assertEquals(await pods(directory, "orders.dev.svc.cluster.local.", 80), orders);
      assertEquals(await pods(directory, "web", 7000), ["web-0:7000", "web-1:7000"]);
      assertEquals((await pods(directory, "cart.shop", 80)).length, 1);
      const web = await directory.lookup("web-1.web", never);
      assert(web.kind === "endpoint", web.kind);
      assertEquals(web.endpoint.pod?.name, "web-1");
      const pod = await directory.lookup(web.endpoint.addresses[0] ?? "", never);
      assert(pod.kind === "pod", pod.kind);
      assertEquals([pod.pod.name, pod.pod.uid], ["web-1", web.endpoint.pod?.uid]);
      assertEquals((await directory.lookup("github.com", never)).kind, "foreign");
    });
  });

  it("watch_gone_410: catches up with what happened while the history was lost", async () => {
    await withDirectory(
      {},
      (practice) => practice.addService({ namespace: "dev", name: "orders" }),
      async (directory, practice) => {
        const [before] = await pods(directory, "orders", 80);
        practice.faults.silenceWatches(true);
        await practice.killPod("dev", before?.split(":")[0] ?? "");
        await practice.addService({ namespace: "dev", name: "late" });
        practice.faults.forgetHistory();
        practice.faults.silenceWatches(false);
        practice.faults.cutWatches();
        await seen(directory, async () => (await directory.lookup("late", never)).kind === "service");
        await seen(directory, async () => {
          const [after] = await pods(directory, "orders", 80);
          return after !== undefined && after !== before;
        });
        assert(practice.counters.count("list", "/api/v1/namespaces/dev/services") > 1, "was not listed again");
      },
    );
  });

  it("tells why nothing answers, in the words of the pods", async () => {
    await withDirectory({}, async (practice) => {
      await practice.addService({ namespace: "dev", name: "sick", podAnnotations: { "practice/state": "crash-loop" } });
    }, async (directory) => {
      const found = await directory.lookup("sick", never);
      assert(found.kind === "service", found.kind);
      const endpoints = await directory.endpoints(found.service, never);
      assertEquals(chooseEndpoints(found.service, 80, endpoints), { kind: "not-ready" });
      const sentence = explainNoReadyPod(found.service, 80, endpoints, await directory.pods(found.service, never));
      assertStringIncludes(sentence, 'Service "sick" in namespace "dev" has no ready pod: sick-');
      assertStringIncludes(sentence, "CrashLoopBackOff");
    });
  });

  it("makes do with Endpoints on a server that knows no slices", async () => {
    await withDirectory(
      { endpointSlices: false },
      (practice) => practice.addService({ namespace: "dev", name: "orders" }),
      async (directory, practice) => {
        const [before] = await pods(directory, "orders", 80);
        assert(before !== undefined, "no pod");
        await practice.killPod("dev", before.split(":")[0] ?? "");
        await seen(directory, async () => {
          const [after] = await pods(directory, "orders", 80);
          return after !== undefined && after !== before;
        });
      },
    );
  });
});
