import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject, Manifest } from "./kube_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";
import type { PracticeWatch } from "./practice_client.ts";

const path = "/api/v1/namespaces/default/configmaps";

interface Watched extends KubeObject {
  readonly code?: number;
  readonly message?: string;
}

function configMap(name: string, labels: Record<string, string> = {}): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", labels } };
}

/** Runs a test with a watch of config maps. */
async function watching(query: string, test: (watch: PracticeWatch<Watched>, practice: Practice) => Promise<void>) {
  await using practice = await startPractice();
  await practice.apply(configMap("first"));
  using client = new PracticeClient(practice);
  const revision = practice.get("configmaps", "default", "first")!.metadata.resourceVersion;
  const watch = await client.watch<Watched>(`${path}?watch=true&${query.replace("NOW", revision)}`);
  try {
    await test(watch, practice);
  } finally {
    await watch.close();
  }
}

/** The next events, in short. */
async function events(watch: PracticeWatch<Watched>, count: number): Promise<string[]> {
  const short: string[] = [];
  for (let i = 0; i < count; i++) {
    const event = await watch.next();
    short.push(event ? `${event.type} ${event.object.metadata.name}` : "end");
  }
  return short;
}

describe("watches", () => {
  it("tell what exists first, then each change", () =>
    watching("", async (watch, practice) => {
      await practice.apply(configMap("second"));
      await practice.apply(configMap("first", { a: "b" }));
      await practice.remove("configmaps", "default", "second");
      assertEquals(await events(watch, 4), ["ADDED first", "ADDED second", "MODIFIED first", "DELETED second"]);
    }));

  it("go on from a resourceVersion", () =>
    watching("resourceVersion=NOW", async (watch, practice) => {
      await practice.apply(configMap("second"));
      assertEquals(await events(watch, 1), ["ADDED second"]);
    }));

  it("see objects enter and leave their selection", () =>
    watching("resourceVersion=NOW&labelSelector=a%3Db", async (watch, practice) => {
      await practice.apply(configMap("first", { a: "b" }), configMap("first", { a: "b", c: "d" }), configMap("first"));
      assertEquals(await events(watch, 3), ["ADDED first", "MODIFIED first", "DELETED first"]);
    }));

  it("end after their timeout, with a bookmark for those who want one", () =>
    watching("resourceVersion=NOW&timeoutSeconds=1&allowWatchBookmarks=true", async (watch, practice) => {
      let event = await watch.next();
      assertEquals(event?.type, "BOOKMARK");
      while (event?.type === "BOOKMARK") {
        assertEquals(
          event.object.metadata.resourceVersion,
          practice.get("configmaps", "default", "first")!.metadata.resourceVersion,
        );
        event = await watch.next();
      }
      assertEquals(event, null);
    }));

  it("say by a bookmark when all that exists has been told", () =>
    watching("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", async (watch) => {
      assertEquals(await events(watch, 1), ["ADDED first"]);
      const { type, object } = (await watch.next())!;
      assertEquals([type, object.metadata.annotations], ["BOOKMARK", { "k8s.io/initial-events-end": "true" }]);
    }));

  it("get an ERROR event with a 410 for a version that is too old", () =>
    watching("resourceVersion=1", async (watch) => {
      const { type, object } = (await watch.next())!;
      assertEquals([watch.status, type, object.code], [200, "ERROR", 410]);
      assertStringIncludes(object.message!, "too old resource version: 1");
      assertEquals(await watch.next(), null);
    }));

  it("can be ended by the server in good order", () =>
    watching("resourceVersion=NOW", async (watch, practice) => {
      practice.faults.endWatches();
      assertEquals(await watch.next(), null);
    }));

  it("can be cut", () =>
    watching("resourceVersion=NOW", async (watch, practice) => {
      practice.faults.cutWatches();
      await assertRejects(() => watch.next());
      assertEquals(practice.counters.openWatches, 0);
    }));

  it("can fall silent, and tell what was missed later", () =>
    watching("resourceVersion=NOW&allowWatchBookmarks=true&timeoutSeconds=60", async (watch, practice) => {
      practice.faults.silenceWatches(true);
      await practice.apply(configMap("second"));
      let told = false;
      const next = watch.next().then((event) => {
        told = true;
        return event;
      });
      // A request that is answered later shows that the event would have come by now.
      using client = new PracticeClient(practice);
      await client.get(path);
      assert(!told);
      practice.faults.silenceWatches(false);
      assertEquals((await next)?.object.metadata.name, "second");
    }));

  it("are forgotten when their client leaves", async () => {
    await using practice = await startPractice();
    using client = new PracticeClient(practice);
    const watch = await client.watch(`${path}?watch=true`);
    assertEquals(practice.counters.openWatches, 1);
    await watch.close();
    // The server hears of it with one of the next events of the connection.
    for (let tries = 0; practice.counters.openWatches > 0; tries++) {
      assert(tries < 1000, "the watch is still open");
      await client.get("/version");
    }
  });
});
