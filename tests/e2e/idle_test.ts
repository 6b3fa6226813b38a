import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { End } from "../stream/end.ts";
import { type Connected, connectHawser, Home } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { greet, open, through } from "./proxy_client.ts";
import { Scene } from "./scene.ts";
import { certificateUser, type Credentials, roleBinding, tokenUser, writeKubeconfig } from "./users.ts";

const kibibyte = 1024, mebibyte = 1024 * kibibyte;
const idleConnections = 1000, shortConnections = 5000;
/** What measuring a process from outside may be off by. */
const tolerance = 1.3;
const measurable = Deno.build.os === "linux";

describe("memory and patience", () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene, home: Home, connected: Connected;
  const users: Record<"token" | "certificate", Credentials> = { token: {}, certificate: {} };
  const idle: End[] = [];
  let idleSince = 0;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("idle"));
    const { namespace } = scene;
    const edit = { kind: "ClusterRole", name: "edit" } as const;
    await scene.apply(
      roleBinding("token", edit, { kind: "ServiceAccount", name: "default", namespace }),
      roleBinding("certificate", edit, { kind: "User", name: namespace }),
      deployment("web"),
      service("web", { ports: [{ name: "http", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }] }),
    );
    await scene.ready("deployment/web");
    users.token = await tokenUser(scene, "default");
    users.certificate = await certificateUser(namespace);
    home = stack.use(await Home.open());
    connected = await connect("token");
    stack.use(connected.running);
    stack.defer(() => idle.forEach((end) => end.stream.close()));
  });

  afterAll(() => stack.disposeAsync());

  async function connect(user: keyof typeof users): Promise<Connected> {
    const file = `${home.folder}/${user}.kubeconfig`;
    await writeKubeconfig(file, { user: users[user], namespace: scene.namespace });
    return await connectHawser(home, ["--kubeconfig", file]);
  }

  it(`holds ${idleConnections} idle connections, at most 60 KB each`, async () => {
    const { running, report: { port } } = connected;
    await inTurns(200, async () => void await greet(port, "web", 80));
    const before = await residentBytes(running.pid);
    await inTurns(idleConnections, async () => {
      const end = await through(port, "web", 7000);
      idle.push(end);
      await echo(end);
    });
    idleSince = performance.now();
    assertEquals(idle.length, idleConnections);
    if (!measurable) return;
    const each = (await residentBytes(running.pid) - before) / idleConnections;
    assert(each <= 60 * kibibyte * tolerance, `${Math.round(each / kibibyte)} KiB for each connection`);
  });

  for (const user of ["token", "certificate"] as const) {
    it(`pays at most 4 MB for a reader that stops in the middle of a download, as a user with a ${user}`, async () => {
      const { running, report: { port } } = await connect(user);
      await using _running = running;
      const end = await open(port);
      await end.send("GET http://web/bytes/1073741824 HTTP/1.1\r\nHost: web\r\n\r\n");
      await end.head();
      const buffer = new Uint8Array(mebibyte);
      const flowing: number[] = [];
      for (let left = 300 * mebibyte, next = 100; left > 0;) {
        left -= await end.reader.read(buffer) ?? 0;
        if (left > next * mebibyte) continue;
        flowing.push(await residentBytes(running.pid));
        next -= 10;
      }
      const before = Math.max(...flowing);
      const times: number[] = [];
      const resident: number[] = [];
      for (let round = 0; round < 20; round++) {
        const started = performance.now();
        await greet(port, "web", 80);
        times.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 150));
        resident.push(await residentBytes(running.pid));
      }
      if (measurable) {
        // What is held for the reader stays; garbage comes and goes, while it flows as well.
        const grown = (Math.min(...resident.slice(-10)) - before) / mebibyte;
        assert(grown <= 4 * tolerance, `it grew by ${grown.toFixed(1)} MiB`);
      }
      const median = times.toSorted((a, b) => a - b)[10]!;
      assert(median < 50, `others wait ${Math.round(median)} ms`);
      // The rest is still to be had.
      for (let left = 100 * mebibyte; left > 0;) left -= await end.reader.read(buffer) ?? 0;
      end.stream.close();
    });
  }

  it(`does not grow by ${shortConnections} short connections`, { ignore: !measurable }, async () => {
    const { running, report: { port } } = await connect("token");
    await using _running = running;
    const short = async () => {
      const end = await through(port, "web", 7000);
      await echo(end);
      end.stream.close();
    };
    await inTurns(shortConnections * 1.5, short); // until the heap has the size it works with
    // A heap breathes, a leak grows in every round.
    let least = Infinity;
    for (let round = 0; round < 3 && least >= 25; round++) {
      const before = await residentBytes(running.pid);
      await inTurns(shortConnections, short);
      least = Math.min(least, (await residentBytes(running.pid) - before) / mebibyte);
    }
    assert(least < 25, `each of three rounds made it grow by ${least.toFixed(1)} MiB or more`);
  });

  it("answers on all idle connections afterwards", async () => {
    const pingInterval = 10_000;
    const wait = pingInterval + 2_000 - (performance.now() - idleSince);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await Promise.all(idle.map(echoMore));
    assertEquals(connected.running.stderr, "");
  });
});

/** Runs an action so many times, 16 at once. */
async function inTurns(count: number, action: () => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (left-- > 0) await action();
  }));
}

async function echo(end: End): Promise<void> {
  await end.send("echo\nx");
  assertEquals(await end.text(1), "x");
}

async function echoMore(end: End): Promise<void> {
  await end.send("more");
  assertEquals(await end.text(4), "more");
}

/** What a process holds of the memory. */
async function residentBytes(pid: number): Promise<number> {
  if (!measurable) return 0;
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * kibibyte;
}
