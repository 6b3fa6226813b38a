import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Api, ApiError } from "../../src/cluster/api.ts";
import type { Lease } from "../../src/inbound/lease.ts";
import { withServiceLock } from "../../src/inbound/service_lock.ts";
import { LocalProcess } from "../../src/platform/local_process.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const never = new AbortController().signal;

/** No two versions are alike, even where two servers stand for one that one side does not reach. */
let version = 0;

/** An API server with one Lease on it, as far as a lock needs it. */
class LeaseServer {
  lease: Lease | undefined;
  /** Refuses everything from now on, as for a laptop without network. */
  away = false;
  /** Does what it is asked, and goes away before it answers. */
  losesAnswers = false;

  api(): Api {
    // Nothing else is asked for.
    return {
      create: (_path: string, body: Lease) =>
        this.#answer(() => this.#put(this.lease ? this.#refuse(409, "AlreadyExists") : body, "u1")),
      get: () => this.#answer(() => this.lease ?? this.#refuse(404, "NotFound")),
      patch: (_path: string, _type: string, body: Lease) =>
        this.#answer(() => {
          const old = this.lease ?? this.#refuse(404, "NotFound");
          if (body.metadata.resourceVersion !== old.metadata.resourceVersion) this.#refuse(409, "Conflict");
          const annotations = { ...old.metadata.annotations, ...body.metadata.annotations };
          const metadata = { ...old.metadata, annotations };
          return this.#put({ ...old, metadata, spec: { ...old.spec, ...body.spec } }, old.metadata.uid);
        }),
      delete: (_path: string, body: { preconditions: { resourceVersion: string } }) =>
        this.#answer(() => {
          if (this.lease?.metadata.resourceVersion !== body.preconditions.resourceVersion) {
            this.#refuse(409, "Conflict");
          }
          this.lease = undefined;
        }),
    } as unknown as Api;
  }

  async #answer<T>(action: () => T): Promise<T> {
    await Promise.resolve();
    if (this.away) throw new Error("no network");
    const answer = action();
    this.away = this.losesAnswers;
    if (this.away) throw new Error("no network");
    return answer;
  }

  #put(lease: Lease, uid: string | undefined): Lease {
    return this.lease = { ...lease, metadata: { ...lease.metadata, uid, resourceVersion: String(++version) } };
  }

  #refuse(status: number, reason: string): never {
    throw new ApiError(status, reason, reason, "");
  }
}

function lock(
  server: LeaseServer,
  clock: FakeClock,
  holder: string,
  onWait?: (holder: string) => void,
  process?: LocalProcess,
) {
  const done = Promise.withResolvers<string>();
  let lost: unknown;
  const run = withServiceLock(
    { namespace: "dev", service: "orders", holder, onWait },
    { api: server.api(), clock, process },
    never,
    (signal) => {
      signal.addEventListener("abort", () => lost = signal.reason);
      return done.promise;
    },
  );
  return { done: done.resolve, run, lost: () => lost };
}

function markOf({ lease }: LeaseServer): string {
  return lease?.metadata.annotations?.["hawser.dev/process"] ?? "null";
}

describe("withServiceLock", () => {
  it("lets one in after another, and tells who is waited for", async () => {
    const [server, clock] = [new LeaseServer(), new FakeClock()];
    const alice = lock(server, clock, "alice");
    await settled();
    const waited: string[] = [];
    const bob = lock(server, clock, "bob", (holder) => void waited.push(holder));
    await clock.advance(60_000); // for as long as it takes: alice renews
    assertEquals([waited, server.lease?.spec?.holderIdentity], [["alice"], "alice"]);
    alice.done("built");
    assertEquals(await alice.run, "built");
    await clock.advance(1_000);
    assertEquals(server.lease?.spec?.holderIdentity, "bob");
    bob.done("built");
    await bob.run;
    assertEquals([server.lease, clock.pending], [undefined, 0]);
  });

  it("is taken from a holder that died, and a late one neither goes on nor drops another's", async () => {
    const [hers, clock] = [new LeaseServer(), new FakeClock()];
    const alice = lock(hers, clock, "alice");
    await settled();
    const his = new LeaseServer();
    his.lease = hers.lease;
    hers.away = true;
    const bob = lock(his, clock, "bob");
    await clock.advance(14_000);
    assertEquals(his.lease?.spec?.holderIdentity, "alice");
    await clock.advance(2_000);
    assertEquals(his.lease?.spec?.holderIdentity, "bob");
    assertEquals(String(alice.lost()).includes('The lock of service "orders" was lost'), true);
    hers.away = false;
    hers.lease = his.lease;
    alice.done("too late");
    await alice.run;
    assertEquals(hers.lease?.spec?.holderIdentity, "bob");
    bob.done("built");
    await bob.run;
    assertEquals(clock.pending, 0);
  });

  it("is taken at once from a process of this machine that is no more, from no other", async () => {
    const process = (machine: string, pid: number) =>
      new LocalProcess({ host: "vm", machine, pid }, (each) => each === 8 || each === 9);
    for (const [machine, pid, after] of [["m1", 7, 0], ["m1", 9, 15_500], ["m2", 7, 15_500]] as const) {
      const [server, clock] = [new LeaseServer(), new FakeClock()];
      const dead = new LeaseServer();
      const held = lock(dead, clock, "alice", undefined, process(machine, pid));
      await settled();
      server.lease = dead.lease;
      const mine = lock(server, clock, "alice", undefined, process("m1", 8));
      if (after > 0) {
        await clock.advance(after - 1_000);
        assertEquals(JSON.parse(markOf(server)).pid, pid);
        await clock.advance(1_000);
      }
      await settled();
      assertEquals(JSON.parse(markOf(server)).pid, 8, `${machine} ${pid}`);
      for (const each of [held, mine]) each.done("");
      await Promise.all([held.run, mine.run]);
      assertEquals(clock.pending, 0);
    }
  });

  it("does not keep the mark of whom it was taken from", async () => {
    const [server, clock] = [new LeaseServer(), new FakeClock()];
    const annotations = { "hawser.dev/process": new LocalProcess({ host: "vm", machine: "m", pid: 7 }).mark };
    server.lease = { metadata: { name: "l", uid: "u", resourceVersion: "0", annotations } };
    const mine = lock(server, clock, "bob");
    await clock.advance(15_500);
    assertEquals([server.lease?.spec?.holderIdentity, markOf(server)], ["bob", "null"]);
    mine.done("");
    await mine.run;
  });

  it("passes on what the action throws, and lets go all the same", async () => {
    const [server, clock] = [new LeaseServer(), new FakeClock()];
    const options = { namespace: "dev", service: "orders", holder: "alice" };
    const failing = () => Promise.reject(new Error("quota"));
    await assertRejects(() => withServiceLock(options, { api: server.api(), clock }, never, failing), Error, "quota");
    assertEquals([server.lease, clock.pending], [undefined, 0]);
  });

  it("leaves no lock behind that the server made without our hearing of it", async () => {
    const [server, clock] = [new LeaseServer(), new FakeClock()];
    server.losesAnswers = true;
    const { run } = lock(server, clock, "alice");
    const refused = assertRejects(() => run, Error, "no network");
    await settled();
    assertEquals(server.lease?.spec?.holderIdentity, "alice");
    [server.away, server.losesAnswers] = [false, false];
    await clock.advance(1_000);
    await refused;
    assertEquals([server.lease, clock.pending], [undefined, 0]);
  });

  it("goes on and lets go where the server renewed it without our hearing of it", async () => {
    const [server, clock] = [new LeaseServer(), new FakeClock()];
    const alice = lock(server, clock, "alice");
    await settled();
    for (const renewals of [1, 2]) {
      server.losesAnswers = true;
      await clock.advance(5_000);
      [server.away, server.losesAnswers] = [false, false];
      if (renewals === 1) await clock.advance(5_000);
    }
    assertEquals(alice.lost(), undefined);
    alice.done("built");
    await alice.run;
    await clock.advance(1_000);
    assertEquals([server.lease, clock.pending], [undefined, 0]);
  });

  it("lets go once the server is back, and after 15 s leaves it to others", async () => {
    for (const away of [3_000, 60_000]) {
      const [server, clock] = [new LeaseServer(), new FakeClock()];
      const options = { namespace: "dev", service: "orders", holder: "alice" };
      const done = withServiceLock(options, { api: server.api(), clock }, never, () => {
        server.away = true;
        return Promise.resolve("done");
      });
      await clock.advance(away);
      server.away = false;
      await clock.advance(1_000);
      assertEquals(await done, "done");
      assertEquals(server.lease === undefined, away < 15_000);
    }
  });
});
