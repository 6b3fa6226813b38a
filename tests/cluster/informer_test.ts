import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { type Api, ApiError, type ListResult, type WatchEvent } from "../../src/cluster/api.ts";
import { type Informer, runInformer } from "../../src/cluster/informer.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const gone = new ApiError(410, "Expired", "too old", "GET /things");
const unreachable = new AccessError("unreachable", "no route");

/** A watch under way, driven by the test. */
class ScriptedWatch {
  readonly #events: (WatchEvent<string> | { version: string })[] = [];
  #end: { error?: unknown } | undefined;
  #wake = () => {};

  constructor(readonly from: string) {}

  send(...events: (WatchEvent<string> | { version: string })[]): void {
    this.#events.push(...events);
    this.#wake();
  }

  end(error?: unknown): void {
    this.#end = { error };
    this.#wake();
  }

  async *run(onVersion: (version: string) => void, signal: AbortSignal): AsyncGenerator<WatchEvent<string>> {
    const abort = () => this.end(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    for (;;) {
      const event = this.#events.shift();
      if (!event) {
        if (this.#end?.error) throw this.#end.error;
        if (this.#end) return;
        await new Promise<void>((resolve) => this.#wake = resolve);
      } else if ("version" in event) onVersion(event.version);
      else yield event;
    }
  }
}

/** An informer whose API answers as the test says. */
class Scene {
  readonly clock = new FakeClock();
  readonly stopping = new AbortController();
  readonly told: string[] = [];
  readonly errors: unknown[] = [];
  readonly watches: ScriptedWatch[] = [];
  lists = 0;
  list: () => Promise<ListResult<string>> = () => Promise.resolve({ resourceVersion: `v${this.lists}`, items: ["a"] });
  watchFault: unknown;
  readonly informer: Informer;

  constructor(prepare: (scene: Scene) => void = () => {}) {
    prepare(this);
    // Only these two are asked of an API here.
    const api: Pick<Api, "list" | "watch"> = {
      list: <T>() => {
        this.lists++;
        return this.list() as Promise<ListResult<unknown>> as Promise<ListResult<T>>;
      },
      watch: <T>(
        _path: string,
        _query: unknown,
        from: string,
        onVersion: (version: string) => void,
        signal: AbortSignal,
      ) => {
        if (this.watchFault) throw this.watchFault;
        const watch = new ScriptedWatch(from);
        this.watches.push(watch);
        return watch.run(onVersion, signal) as AsyncIterable<WatchEvent<unknown>> as AsyncIterable<WatchEvent<T>>;
      },
    };
    this.informer = runInformer<string>(
      {
        api: api as Api,
        path: "/things",
        query: {},
        onSync: (items) => this.told.push(`sync ${items.join()}`),
        onEvent: ({ type, object }) => this.told.push(`${type} ${object}`),
        onError: (error) => this.errors.push(error),
      },
      { clock: this.clock, log: silentLog, random: () => 0.999 },
      this.stopping.signal,
    );
  }

  get watch(): ScriptedWatch {
    const last = this.watches.at(-1);
    if (!last) throw new Error("There is no watch");
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort(new Error("over"));
    await this.informer.done;
    assertEquals(this.clock.pending, 0);
  }
}

function broken(scene: Scene): void {
  scene.list = () => Promise.reject(new ApiError(500, "", "broken", "GET /things"));
}

describe("runInformer", () => {
  it("lists, then tells what the watch sees", async () => {
    await using scene = new Scene();
    await settled();
    scene.watch.send({ type: "ADDED", object: "b" }, { type: "DELETED", object: "a" });
    await settled();
    assertEquals(scene.told, ["sync a", "ADDED b", "DELETED a"]);
    assertEquals(scene.watch.from, "v1");
  });

  it("goes on from the last version it was told, bookmarks included, when a watch ends", async () => {
    await using scene = new Scene();
    await settled();
    scene.watch.send({ version: "v7" });
    await scene.clock.advance(400_000);
    scene.watch.end();
    await settled();
    assertEquals(scene.watches.map(({ from }) => from), ["v1", "v7"]);
    assertEquals([scene.lists, scene.errors.length], [1, 0]);
  });

  it("lists again when its version is too old, without waiting and without calling it an error", async () => {
    await using scene = new Scene();
    await settled();
    await scene.clock.advance(60_000);
    scene.watch.end(gone);
    await settled();
    assertEquals([scene.lists, scene.errors.length], [2, 0]);
    assertEquals(scene.watch.from, "v2");
  });

  it("does not spin where every version is too old at once", async () => {
    await using scene = new Scene((scene) => scene.watchFault = gone);
    await settled(200);
    assert(scene.lists <= 2, `${scene.lists} lists in no time`);
    await scene.clock.advance(10_000);
    assert(scene.lists <= 6, `${scene.lists} lists in ten seconds`);
  });

  it("does not spin where every watch ends at once", async () => {
    await using scene = new Scene();
    await settled();
    for (let i = 0; i < 20; i++) {
      scene.watch.end();
      await settled();
    }
    assertEquals(scene.watches.length, 1);
    await scene.clock.advance(800);
    assertEquals(scene.watches.length, 2);
  });

  it("waits longer after each failure, up to 30 s", async () => {
    const times: number[] = [];
    await using scene = new Scene((scene) => {
      scene.list = () => {
        times.push(scene.clock.now());
        return Promise.reject(new ApiError(500, "", "broken", "GET /things"));
      };
    });
    await scene.clock.advance(150_000);
    const waits = times.slice(1).map((time, index) => Math.round((time - times[index]!) / 100) / 10);
    assertEquals(waits.slice(0, 7), [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30]);
    assertEquals(scene.errors.length, scene.lists);
  });

  it("tries a server that cannot be reached at least every 2 s", async () => {
    await using scene = new Scene((scene) => scene.list = () => Promise.reject(unreachable));
    await scene.clock.advance(60_000);
    const before = scene.lists;
    await scene.clock.advance(2_000);
    assert(scene.lists > before, "nobody tried for 2 s");
  });

  it("starts from short waits again after two good minutes", async () => {
    await using scene = new Scene(broken);
    await scene.clock.advance(60_000);
    scene.list = () => Promise.resolve({ resourceVersion: "v", items: [] });
    await scene.clock.advance(31_000);
    await scene.clock.advance(121_000);
    scene.watch.end(unreachable);
    const before = scene.watches.length;
    await scene.clock.advance(900);
    assertEquals(scene.watches.length, before + 1);
  });

  it("tries at once when it is poked", async () => {
    await using scene = new Scene(broken);
    await scene.clock.advance(30_000);
    scene.list = () => Promise.resolve({ resourceVersion: "v", items: ["back"] });
    scene.informer.poke();
    await settled();
    assertEquals(scene.told, ["sync back"]);
  });

  it("keeps its version through failures of the watch", async () => {
    await using scene = new Scene();
    await settled();
    scene.watch.send({ version: "v9" });
    await settled();
    scene.watch.end(unreachable);
    await scene.clock.advance(1_000);
    assertEquals(scene.watch.from, "v9");
    assertEquals([scene.lists, scene.errors], [1, [unreachable]]);
  });

  it("stops at once while it waits", async () => {
    const scene = new Scene((scene) => scene.list = () => Promise.reject(unreachable));
    await scene.clock.advance(10_000);
    await scene[Symbol.asyncDispose]();
  });
});
