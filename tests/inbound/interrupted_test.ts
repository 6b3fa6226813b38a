import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Api, Query } from "../../src/cluster/api.ts";
import { clean } from "../../src/inbound/clean.ts";
import { openInbound } from "../../src/inbound/open_inbound.ts";
import { renewInterval } from "../../src/inbound/participation.ts";
import { recover } from "../../src/inbound/recover.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { fastClock } from "./fast_clock.ts";
import { exchangeOf, type Laptop, lastingObjectsOf, objectsOf, openScene, scaleOf, type Scene } from "./scene.ts";

const never = new AbortController().signal;

/** An Api that calls back after each write that the server has taken, with a number from 1 on. */
function countingWrites(api: Api, onWrite: (count: number) => void): Api {
  let count = 0;
  const counted = async <T>(write: Promise<T>) => {
    const result = await write;
    onWrite(++count);
    return result;
  };
  return {
    get: (path, query, signal) => api.get(path, query, signal),
    list: (path, query, signal) => api.list(path, query, signal),
    watch: (path, query, version, onVersion, signal) => api.watch(path, query, version, onVersion, signal),
    create: (path, body, signal) => counted(api.create(path, body, signal)),
    patch: (path, type, body, query, signal) => counted(api.patch(path, type, body, query, signal)),
    delete: (path, body, signal) => counted(api.delete(path, body, signal)),
  };
}

/** An Api whose answer to each write is not heard any more where its signal has aborted meanwhile, though the server has done it. */
function losingAnswers(api: Api, onWrite: (count: number) => void): Api {
  let count = 0;
  const lost = async <T>(write: Promise<T>, signal: AbortSignal) => {
    const result = await write;
    onWrite(++count);
    signal.throwIfAborted();
    return result;
  };
  return {
    ...countingWrites(api, () => {}),
    create: (path, body, signal) => lost(api.create(path, body, never), signal),
    patch: (path, type, body, query, signal) => lost(api.patch(path, type, body, query, never), signal),
    delete: (path, body, signal) => lost(api.delete(path, body, never), signal),
  };
}

/** How many writes an exchange takes until it stands, the release of the lock not counted. */
async function writesOf(scene: Scene, requestOf = exchangeOf): Promise<number> {
  const { deps } = await scene.laptop();
  let writes = 0;
  const inbound = await openInbound(
    requestOf("alice@one", scene.echoPort),
    { ...deps, api: countingWrites(deps.api, (count) => writes = count) },
    never,
  );
  const standing = writes - 1;
  await inbound.close();
  return standing;
}

async function cleaned(laptop: Laptop): Promise<string[]> {
  const deps = { api: laptop.api, clock: fastClock(100) };
  const done = await clean({ namespace: "dev", dryRun: false, holder: "carol@three" }, deps, never);
  return done.map(({ held, outcome }) => `${held.service} ${outcome}`);
}

describe("interrupted_at_every_step", () => {
  it("Ctrl-C after any single write leaves everything as it was", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const last = await writesOf(scene);
    assert(last >= 8, `${last} writes`);
    for (let step = 1; step <= last; step++) {
      const { deps } = await scene.laptop();
      const interrupt = new AbortController();
      const api = countingWrites(deps.api, (count) => count === step && interrupt.abort(new Error("Ctrl-C")));
      const request = exchangeOf("alice@one", scene.echoPort);
      await assertRejects(() => openInbound(request, { ...deps, api }, interrupt.signal), Error, "Ctrl-C");
      await scene.practice.settled();
      assertEquals(objectsOf(scene.practice), before, `after write ${step}`);
    }
    assertEquals([...new Set(scene.told)], ['"orders" is undone; nothing is left']);
  });

  it("Ctrl-C while any single write is under way leaves everything as it was", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const last = await writesOf(scene);
    for (let step = 1; step <= last; step++) {
      const { deps } = await scene.laptop();
      const interrupt = new AbortController();
      const api = losingAnswers(deps.api, (count) => count === step && interrupt.abort(new Error("Ctrl-C")));
      const request = exchangeOf("alice@one", scene.echoPort);
      await assertRejects(() => openInbound(request, { ...deps, api }, interrupt.signal), Error, "Ctrl-C");
      await scene.practice.settled();
      assertEquals(objectsOf(scene.practice), before, `during write ${step}`);
    }
    assertEquals([...new Set(scene.told)], ['"orders" is undone; nothing is left']);
  });

  it("kill -9 after any single write leaves what clean puts back, without the laptop", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const last = await writesOf(scene);
    const other = await scene.laptop();
    for (let step = 1; step <= last; step++) {
      const victim = await scene.laptop();
      const api = countingWrites(victim.api, (count) => count === step && victim.kill());
      const request = exchangeOf("alice@one", scene.echoPort);
      // After the last write it stands, and nobody is left to know.
      const zombie = await openInbound(request, { ...victim.deps, api }, never).catch(() => undefined);
      assert(objectsOf(scene.practice).length > before.length, `something is left after write ${step}`);
      assertEquals(await cleaned(other), ["orders restored"], `after write ${step}`);
      await scene.practice.settled();
      assertEquals(objectsOf(scene.practice), before, `after write ${step}`);
      await zombie?.close().catch(() => {});
    }
  });
});

describe("interrupted_at_every_step of --mode scale", () => {
  it("Ctrl-C after any single write leaves everything as it was", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const last = await writesOf(scene, scaleOf);
    assert(last >= 8, `${last} writes`);
    for (let step = 1; step <= last; step++) {
      const { deps } = await scene.laptop();
      const interrupt = new AbortController();
      const api = countingWrites(deps.api, (count) => count === step && interrupt.abort(new Error("Ctrl-C")));
      const request = scaleOf("alice@one", scene.echoPort);
      await assertRejects(() => openInbound(request, { ...deps, api }, interrupt.signal), Error, "Ctrl-C");
      await scene.practice.settled();
      assertEquals(lastingObjectsOf(scene.practice), before, `after write ${step}`);
    }
    assertEquals([...new Set(scene.told)], ['"orders" is undone; nothing is left']);
  });

  it("kill -9 after any single write, at the beginning and at the end, leaves what clean puts back", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const last = await writesOf(scene, scaleOf);
    const other = await scene.laptop();
    for (let step = 1, living = false; !living; step++) {
      const victim = await scene.laptop();
      const api = countingWrites(victim.api, (count) => count === step && victim.kill());
      const deps = { ...victim.deps, api };
      const zombie = await openInbound(scaleOf("alice@one", scene.echoPort), deps, never).catch(() => undefined);
      assertEquals(zombie !== undefined, step > last, `write ${step} of ${last} until it stands`);
      living = await zombie?.close().then(() => true, () => false) ?? false;
      await cleaned(other);
      await scene.practice.settled();
      assertEquals(lastingObjectsOf(scene.practice), before, `after write ${step}`);
    }
  });
});

describe("laptop_killed_during_exchange", () => {
  it("clean waits until it is sure, then puts everything back; a living colleague is not disturbed", async () => {
    await using scene = await openScene();
    await scene.practice.addService({ namespace: "dev", name: "stock" });
    const before = objectsOf(scene.practice);
    const [victim, colleague, other] = [await scene.laptop(), await scene.laptop(), await scene.laptop()];
    const zombie = await openInbound(exchangeOf("alice@one", scene.echoPort), victim.deps, never);
    victim.kill();
    const fast = 50;
    const pace = (ms: number) => ms === renewInterval ? ms / fast : ms;
    const bob = await openInbound(
      exchangeOf("bob@two", scene.echoPort, { service: "stock" }),
      // Its Lease has to be renewed at the pace of the one who looks.
      { ...colleague.deps, clock: { ...systemClock, after: (ms, action) => systemClock.after(pace(ms), action) } },
      never,
    );
    const waited: number[] = [];
    const done = await clean(
      {
        namespace: "dev",
        dryRun: false,
        holder: "carol@three",
        onWait: (participants) => void waited.push(participants),
      },
      { api: other.api, clock: fastClock(fast) },
      never,
    );
    assertEquals(done.map(({ held, outcome }) => `${held.service} ${outcome}`).sort(), [
      "orders restored",
      "stock alive",
    ]);
    assertEquals(waited, [2]);
    await bob.close();
    await zombie.close().catch(() => {});
    await scene.practice.settled();
    assertEquals(objectsOf(scene.practice), before);
  });

  it("clean puts back at once what has been silent for too long by the server's clock", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const [victim, other] = [await scene.laptop(), await scene.laptop()];
    const zombie = await openInbound(exchangeOf("alice@one", scene.echoPort), victim.deps, never);
    victim.kill();
    // A minute later, as far as the server tells.
    const list: Api["list"] = async <T>(path: string, query: Query, signal: AbortSignal) => {
      const found = await other.api.list<T>(path, query, signal);
      return { ...found, date: (found.date ?? NaN) + 60_000 };
    };
    const api = { ...countingWrites(other.api, () => {}), list };
    const onWait = () => fail("It is known who lives");
    const options = { namespace: "dev", dryRun: false, holder: "carol@three", onWait };
    const done = await clean(options, { api, clock: systemClock }, never);
    assertEquals(done.map(({ held, outcome }) => `${held.service} ${outcome}`), ["orders restored"]);
    await zombie.close().catch(() => {});
    await scene.practice.settled();
    assertEquals(objectsOf(scene.practice), before);
  });

  it("recover needs no waiting, and whoever is ended by it is told", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const [alice, other] = [await scene.laptop(), await scene.laptop()];
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), alice.deps, never);
    const options = { namespace: "dev", service: "orders", holder: "carol@three" };
    const done = await recover(options, { api: other.api, clock: fastClock(20) }, never);
    assertEquals(done, { selector: true, agent: true, ended: ["alice@one"] });
    assertEquals(await inbound.over, 'Service "orders" was recovered: carol@three has put it back');
    assertEquals(await inbound.close(), { restored: true, others: [] });
    await scene.practice.settled();
    assertEquals(objectsOf(scene.practice), before);
  });
});
