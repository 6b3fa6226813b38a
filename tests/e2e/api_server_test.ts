import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { Counters } from "../practice/counters.ts";
import { Line } from "../practice/line.ts";
import type { End } from "../stream/end.ts";
import { type Connected, connectHawser, Home, RunningHawser } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { greet, open, through } from "./proxy_client.ts";
import { Scene } from "./scene.ts";
import { apiServer, writeKubeconfig } from "./users.ts";

const ports = [{ name: "http", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }];

describe("the way to the API server", () => {
  const stack = new AsyncDisposableStack();
  /** Between hawser and the API server, which everybody else goes on to use. */
  const line = new Line(new Counters());
  let scene: Scene, home: Home, connected: Connected, forward: RunningHawser;
  let proxy = 0, forwarded = 0;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("line"));
    await scene.apply(deployment("web"), service("web", { ports }));
    await scene.ready("deployment/web");
    ({ host: line.host, port: line.to } = await apiServer());
    await line.listen();
    stack.defer(() => line.close());
    home = stack.use(await Home.open());
    const file = `${home.folder}/line.kubeconfig`;
    await writeKubeconfig(file, { port: line.port, namespace: scene.namespace });
    connected = await connectHawser(home, ["--kubeconfig", file]);
    stack.use(connected.running);
    proxy = connected.report.port;
    forward = stack.use(new RunningHawser(home, ["forward", "--kubeconfig", file, "-o", "json", "web", ":7000"]));
    forwarded = JSON.parse(await forward.line()).forwards[0].port;
  });

  afterEach(() => {
    line.roundTrip = 0;
  });

  afterAll(() => stack.disposeAsync());

  /** Milliseconds until both listeners serve again, on the ports they had before. */
  async function servedAgain(): Promise<number> {
    const started = performance.now();
    await Promise.all([
      again(async () => assertEquals((await greet(proxy, "web", 80)).name, "web")),
      again(async () => await echo(await open(forwarded))),
    ]);
    return performance.now() - started;
  }

  /** A watch that goes on shows what is new. */
  async function seesNewService(name: string): Promise<void> {
    await scene.apply(service(name, { selector: { app: "web" }, ports }));
    await again(async () => assertEquals((await greet(proxy, name, 80)).name, "web"));
  }

  it("may be 50 ms long: one round trip for a new connection", async () => {
    await greet(proxy, "web", 80);
    line.roundTrip = 50;
    const times: number[] = [];
    for (let count = 0; count < 9; count++) {
      const started = performance.now();
      const end = await open(forwarded);
      await end.send("echo\nx");
      await end.text(1);
      times.push(performance.now() - started);
      end.stream.close();
    }
    const median = times.toSorted((a, b) => a - b)[4]!;
    assert(median > 50 && median < 100, `medians of ${times.map(Math.round)} ms`);
    await seesNewService("far");
  });

  it("api_server_black_holed: noticed within 15 s, serving again 5 s after it is mended", async () => {
    const idle = await through(proxy, "web", 7000);
    await echo(idle);
    const { running } = connected;
    const heard = running.stderr.length, heardForward = forward.stderr.length;
    line.swallows = true;
    const lost = assertRejects(() => idle.text(1), Error);
    await Promise.all([
      running.says(/The API server .* does not answer: /, 15_000, heard),
      forward.says(/The API server .* does not answer: /, 15_000, heardForward),
      // A connection that was open in it is reset, and not left to wait for ever.
      lost,
    ]);
    idle.stream.close();
    line.swallows = false;
    const took = await servedAgain();
    assert(took < 5_000, `it took ${Math.round(took)} ms`);
    await running.says(/The API server is back after \d+ s/, 5_000, heard);
    await seesNewService("after-hole");
  });

  it("api_server_restarts: cut and back, on the same listeners", async () => {
    const { running } = connected;
    const heard = running.stderr.length;
    const idle = await through(proxy, "web", 7000);
    await echo(idle);
    const cut = assertRejects(() => idle.text(1), Error);
    await line.close();
    await cut;
    idle.stream.close();
    await running.says(/The API server .* does not answer: /, 15_000, heard);
    await line.listen();
    const took = await servedAgain();
    assert(took < 5_000, `it took ${Math.round(took)} ms`);
    await seesNewService("after-cut");
  });
});

async function echo(end: End): Promise<void> {
  await end.send("echo\nx");
  assertEquals(await end.text(1), "x");
}

/** Tries until it works, for 30 s. */
async function again(action: () => Promise<void>): Promise<void> {
  for (const started = performance.now();;) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() - started > 30_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
