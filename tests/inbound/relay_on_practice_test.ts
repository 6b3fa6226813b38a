import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { standardImage } from "../../src/inbound/agent_image.ts";
import { agentSource } from "../../src/inbound/agent_source.ts";
import { clean } from "../../src/inbound/clean.ts";
import { openRelay } from "../../src/inbound/open_relay.ts";
import { RelayedCluster } from "../../src/inbound/relayed_cluster.ts";
import { withServiceLock } from "../../src/inbound/service_lock.ts";
import { survey } from "../../src/inbound/survey.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { listenTcp, type TcpListener } from "../../src/stream/listen_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { ClusterDialer } from "../../src/tunnel/cluster_dialer.ts";
import { DialError } from "../../src/tunnel/dialer.ts";
import { until } from "../fake_clock.ts";
import { type Practice, startPractice } from "../practice/practice.ts";
import { End } from "../stream/end.ts";
import { fastClock } from "./fast_clock.ts";
import { objectsOf } from "./scene.ts";

const never = new AbortController().signal;
const windows = Deno.build.os === "windows";

/** A developer's hawser. */
async function laptop(kubeconfig: string, id: string, clock: Clock = systemClock) {
  const access = await openAccess({ kubeconfig });
  const api = openApi(access);
  const directory = await openDirectory(api, { namespace: "dev" }, { clock: systemClock, log: silentLog });
  const dialer = new ClusterDialer({ access, directory });
  const told: string[] = [];
  const log = { ...silentLog, event: (message: string) => void told.push(message) };
  const progress: string[] = [];
  const onProgress = (state: string) => void progress.push(state);
  const deps = { api, dialer, clock, log, agentProgram: await agentSource(), onProgress };
  const owner = { id, name: "alice@laptop" };
  const image = { image: standardImage, pullSecrets: [] };
  return {
    api,
    told,
    progress,
    clock,
    open: () => openRelay({ namespace: "dev", name: "relay.alice", image, owner }, deps, never),
    cluster: (relay: Awaited<ReturnType<typeof openRelay>>) =>
      new RelayedCluster({ relay: relay.dialer, cluster: dialer, directory }),
    /** Dead from one moment to the next. */
    kill() {
      dialer.close();
      directory.close();
      api.close();
    },
  };
}

async function said(stream: Duplex, text: string, halfClose = true): Promise<string> {
  const end = new End(stream);
  await end.send(text);
  if (halfClose) await stream.closeWrite();
  const answer = await end.rest();
  stream.close();
  return answer;
}

/** Agents run as processes, which takes what Windows has not. */
describe("a relay, with its agent as a process", { ignore: windows }, () => {
  let practice: Practice;
  let kubeconfig: string;
  let outside: TcpListener;
  let before: string[];

  beforeAll(async () => {
    practice = await startPractice();
    await practice.addService({
      namespace: "dev",
      name: "orders",
      ports: [{ name: "web", port: 80, targetPort: "http" }],
      replicas: 1,
    });
    // Answers at the end of what it is told, which takes real half-close.
    outside = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
      const all = await new End(stream).rest();
      await stream.write(new TextEncoder().encode(`heard ${all}`));
      await stream.closeWrite();
    });
    practice.addOutside("db.corp.example", 5432, { hostname: "127.0.0.1", port: outside.port });
    kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
    await Deno.writeTextFile(kubeconfig, practice.kubeconfig());
    before = objectsOf(practice);
  });
  afterAll(async () => {
    await outside.close();
    await practice.stop();
    await Deno.remove(kubeconfig);
  });

  it("reaches services and what is outside, with half-close, says why it cannot, and leaves nothing", async () => {
    const alice = await laptop(kubeconfig, "one");
    const relay = await alice.open();
    try {
      const [held] = await survey(alice.api, "dev", never);
      assertEquals([held?.service, held?.state, held?.participants[0]?.holding?.kind], [
        "relay.alice",
        "relay",
        "relay",
      ]);
      for (const early of [true, false]) {
        const database = await relay.dialer.dial({ host: "db.corp.example", port: 5432 }, { signal: never, early });
        assertEquals(await said(database, "all of it"), "heard all of it");
        const orders = await alice.cluster(relay).dial({ host: "orders", port: 80 }, { signal: never, early });
        const answer = await said(orders, "GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n", false);
        assert(answer.startsWith("HTTP/1.1 200"), answer);
      }
      const nowhere = { host: "no-such-name.dev.svc.cluster.local", port: 80 };
      const refused = await assertRejects(() => relay.dialer.dial(nowhere, { signal: never }), DialError);
      assertEquals(refused.kind, "unknown");
      const early = await relay.dialer.dial(nowhere, { signal: never, early: true });
      await assertRejects(() => early.read(new Uint8Array(1)), DialError, "no-such-name");
      early.close();
    } finally {
      await relay.close();
      alice.kill();
    }
    await practice.settled();
    assertEquals([objectsOf(practice), alice.told], [before, []]);
  });

  it("is shared by the hawsers of one user, and removed by the last one out", async () => {
    const one = await laptop(kubeconfig, "one"), two = await laptop(kubeconfig, "two");
    const first = await one.open(), second = await two.open();
    assertEquals(
      practice.list("deployments.apps", "dev").filter(({ metadata }) => metadata.name === first.object).length,
      1,
    );
    await first.close();
    const database = await second.dialer.dial({ host: "db.corp.example", port: 5432 }, { signal: never });
    assertEquals(await said(database, "still here"), "heard still here");
    await second.close();
    one.kill();
    two.kill();
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("is joined once whoever is at it has done, and not asked for before", async () => {
    const one = await laptop(kubeconfig, "one"), two = await laptop(kubeconfig, "two");
    const first = await one.open();
    const lock = { namespace: "dev", service: "relay.alice", holder: "carol@other" };
    const { opening } = await withServiceLock(lock, one, never, async () => {
      const opening = two.open();
      await until(() => two.progress.includes("carol@other is at the relay just now; waiting…"), "the wait");
      return { opening };
    });
    const second = await opening;
    await Promise.all([first.close(), second.close()]);
    one.kill();
    two.kill();
    await practice.settled();
    assertEquals([objectsOf(practice), one.told, two.told], [before, [], []]);
  });

  it("relay_evicted: is linked again once its pod is replaced, and says so", async () => {
    const alice = await laptop(kubeconfig, "one");
    const relay = await alice.open();
    const [pod] = practice.list("pods", "dev").filter(({ metadata }) => metadata.name.startsWith(relay.object));
    await practice.killPod("dev", pod!.metadata.name);
    await until(() => alice.told.length >= 2, "the link is back");
    const database = await relay.dialer.dial({ host: "db.corp.example", port: 5432 }, { signal: never });
    assertEquals(await said(database, "again"), "heard again");
    await relay.close();
    alice.kill();
    assertEquals(alice.told.map((each) => /broke|is back/.exec(each)?.[0]), ["broke", "is back"]);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("laptop_killed: anybody's next clean removes the relay", async () => {
    const alice = await laptop(kubeconfig, "one");
    const relay = await alice.open();
    alice.kill();
    const bob = await laptop(kubeconfig, "bob");
    const cleaned = await clean(
      { namespace: "dev", dryRun: false, holder: "bob@other" },
      { api: bob.api, clock: fastClock(20) },
      never,
    );
    assertEquals(cleaned.map(({ held, outcome }) => [held.service, outcome]), [["relay.alice", "restored"]]);
    bob.kill();
    await relay.close(); // of whoever does not know that they are dead, and has gone on dialing
    alice.kill();
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });
});
