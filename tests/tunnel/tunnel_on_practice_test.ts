import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { ClusterDialer } from "../../src/tunnel/cluster_dialer.ts";
import { DialError, type DialOptions } from "../../src/tunnel/dialer.ts";
import { FakeClock } from "../fake_clock.ts";
import { type Practice, startPractice } from "../practice/practice.ts";
import type { Container, Program } from "../practice/program.ts";
import { readAll } from "../stream/scripted_source.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const block = Uint8Array.from({ length: 65521 }, (_, at) => at * 131 >> 3);

/** What port 7001 has got rid of. */
let sent = 0;

/** Lets port 7004 begin to read. */
let goOn = Promise.withResolvers<void>();
/** A connection to port 7000 is over, as the pod sees it. */
let over = Promise.withResolvers<void>();

/** Port 7000 says the pod's name and echoes, 7001 sends 50 MB of `block` and ends, 7002 resets at the first byte, 7004 counts once it may. */
const server: Program = async (container: Container) => {
  await container.listen(7000, async (connection) => {
    await connection.write(`${container.pod.name}\n`);
    for (let data; (data = await connection.read().catch(() => null)) !== null;) await connection.write(data);
    connection.closeWrite();
    over.resolve();
  });
  await container.listen(7001, async (connection) => {
    try {
      for (let left = 50_000_000; left > 0; left -= block.length) {
        await connection.write(block.subarray(0, Math.min(left, block.length)));
        sent += block.length;
      }
      connection.closeWrite();
    } catch {
      // The client has had enough.
    }
  });
  await container.listen(7002, async (connection) => {
    await connection.read();
    connection.reset();
  });
  await container.listen(7004, async (connection) => {
    await goOn.promise;
    let count = 0;
    for (let data; count < 40_000_000 && (data = await connection.read()) !== null;) count += data.length;
    await connection.write(`${count}\n`);
    connection.closeWrite();
  });
  return () => {};
};

/** A practice cluster with the service "app", and a dialer into it. */
async function withCluster(
  run: (
    all: {
      practice: Practice;
      dialer: ClusterDialer;
      dial(port: number, more?: Partial<DialOptions>): Promise<Duplex>;
    },
  ) => Promise<void>,
  options: { user?: string; replicas?: number; clock?: Clock } = {},
): Promise<void> {
  await using practice = await startPractice({ programs: { server } });
  await practice.addService({
    namespace: "dev",
    name: "app",
    image: "server",
    replicas: options.replicas ?? 1,
    ports: [7000, 7001, 7002, 7003, 7004].map((port) => ({ name: `p${port}`, port })),
    containerPorts: [{ name: "tcp", port: 7000 }],
  });
  const folder = await Deno.makeTempDir();
  const kubeconfig = `${folder}/config`;
  await Deno.writeTextFile(kubeconfig, practice.kubeconfig(options.user, { namespace: "dev" }));
  const access = await openAccess({ kubeconfig }, { env: {} });
  const api = openApi(access);
  const directory = await openDirectory(api, { namespace: "dev" }, { clock: systemClock, log: silentLog });
  const dialer = new ClusterDialer({ access, directory, clock: options.clock });
  try {
    const dial = (port: number, more: Partial<DialOptions> = {}) =>
      dialer.dial({ host: "app", port }, { signal: never, ...more });
    await run({ practice, dialer, dial });
  } finally {
    dialer.close();
    directory.close();
    api.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function greeting(stream: Duplex): Promise<string> {
  const into = new Uint8Array(200);
  let all = "";
  while (!all.endsWith("\n")) {
    const count = await stream.read(into);
    if (count === null) break;
    all += text(into.subarray(0, count));
  }
  return all.trim();
}

describe("ClusterDialer on the practice cluster", () => {
  for (const user of ["admin", "admin-certificate"]) {
    it(`echoes, and downloads 50 MB as they were, as ${user}`, () =>
      withCluster(async ({ dial }) => {
        const echo = await dial(7000);
        await greeting(echo);
        const data = block.subarray(0, 30_000);
        await echo.write(data);
        const back = new Uint8Array(30_000);
        for (let at = 0; at < back.length;) at += await echo.read(back.subarray(at)) ?? back.length;
        assertEquals(back, data);
        echo.close();

        const expected = createHash("sha256"), got = createHash("sha256");
        for (let left = 50_000_000; left > 0; left -= block.length) {
          expected.update(block.subarray(0, Math.min(left, block.length)));
        }
        const download = await dial(7001);
        const into = new Uint8Array(100_000);
        for (let count; (count = await download.read(into)) !== null;) got.update(into.subarray(0, count));
        download.close();
        assertEquals(got.digest("hex"), expected.digest("hex"));
      }, { user }));
  }

  it("has the pod stop sending while nobody reads, and lets other connections go on", () =>
    withCluster(async ({ dial }) => {
      sent = 0;
      const download = await dial(7001);
      for (let before = -1; before < sent;) {
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assertEquals(sent < 30_000_000, true, `${sent} bytes were taken`);
      const other = await dial(7000);
      assertStringIncludes(await greeting(other), "app-");
      other.close();
      assertEquals((await readAll(download, 262144)).length, 50_000_000);
      download.close();
    }));

  it("waits for a pod that takes nothing of an upload, while other connections go on", () => {
    const clock = new FakeClock();
    goOn = Promise.withResolvers();
    return withCluster(async ({ dial }) => {
      const upload = await dial(7004, { early: true });
      let taken = 0;
      const uploading = (async () => {
        for (; taken < 40_000_000; taken += 100_000) await upload.write(new Uint8Array(100_000));
      })();
      for (let before = -1; before < taken;) {
        before = taken;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assertEquals(taken < 40_000_000, true, "nothing was held back");
      for (let second = 0; second < 25; second++) {
        await clock.advance(1_000);
        // PINGs travel in real time.
        await new Promise((resolve) => setTimeout(resolve, 80));
      }
      const other = await dial(7000, { early: true });
      assertStringIncludes(await greeting(other), "app-");
      other.close();
      goOn.resolve();
      await uploading;
      assertEquals(await greeting(upload), "40000000");
      upload.close();
    }, { clock });
  });

  it("is refused where nothing listens, and reset where the pod resets", () =>
    withCluster(async ({ dial }) => {
      const error = await assertRejects(() => dial(7003), DialError);
      assertEquals(error.kind, "refused");
      const early = await dial(7003, { early: true });
      assertEquals((await assertRejects(() => early.read(new Uint8Array(1)), DialError)).kind, "refused");
      const reset = await dial(7002, { early: true });
      await reset.write(bytes("x"));
      const broken = await assertRejects(() => reset.read(new Uint8Array(1)), Error);
      assertEquals("code" in broken && broken.code, "ECONNRESET", String(broken));
    }));

  it("tells the pod when the client resets or closes, and serves the next connection in the same session", () =>
    withCluster(async ({ dialer, dial }) => {
      for (const end of ["reset", "close"] as const) {
        over = Promise.withResolvers();
        const stream = await dial(7000);
        await greeting(stream);
        stream[end]();
        await over.promise;
      }
      assertEquals(dialer.sessions, 2);
    }));

  it("pod_restarts_mid_stream: its connections break, new ones reach the next pod", () =>
    withCluster(async ({ practice, dial }) => {
      const stream = await dial(7000);
      const first = await greeting(stream);
      const reading = assertRejects(() => stream.read(new Uint8Array(1)), Error);
      await practice.killPod("dev", first);
      const error = await reading;
      assertEquals("code" in error && error.code, "ECONNRESET");
      await practice.settled();
      for (let tries = 0;; tries++) {
        const next = await dial(7000).catch((error) => {
          assertEquals(error instanceof DialError && tries < 100, true, String(error));
        });
        if (next) {
          assertEquals(await greeting(next) === first, false);
          return next.close();
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }));

  it("rolls on without a failed connection while one of two pods is killed", () =>
    withCluster(async ({ practice, dial }) => {
      const victim = await dial(7000).then(async (stream) => {
        const name = await greeting(stream);
        stream.close();
        return name;
      });
      const names = new Set<string>();
      for (let turn = 0; turn < 30; turn++) {
        if (turn === 10) await practice.killPod("dev", victim);
        const stream = await dial(7000);
        names.add(await greeting(stream));
        stream.close();
      }
      assertEquals(names.size >= 2, true);
    }, { replicas: 2 }));

  it("api_server_black_holed: noticed within 15 s, and serves again after", () => {
    const clock = new FakeClock();
    return withCluster(async ({ practice, dialer, dial }) => {
      const stream = await dial(7000, { early: true });
      await greeting(stream);
      practice.faults.blackHole();
      const reading = assertRejects(() => stream.read(new Uint8Array(1)), Error);
      await clock.advance(15_000);
      const error = await reading;
      assertEquals("code" in error && error.code, "ETIMEDOUT");
      assertEquals(dialer.sessions, 0);
      practice.faults.mend();
      const again = await dial(7000, { early: true });
      assertStringIncludes(await greeting(again), "app-");
      again.close();
    }, { clock });
  });

  it("holds 1,000 idle connections over at most 64 sessions, each of which works", () =>
    withCluster(async ({ dialer, dial }) => {
      const streams = await Promise.all(Array.from({ length: 1_000 }, () => dial(7000, { early: true })));
      await Promise.all(streams.map(greeting));
      assertEquals(dialer.sessions <= 64, true, `${dialer.sessions} sessions`);
      for (const [index, stream] of streams.entries()) {
        if (index % 50 > 0) continue;
        await stream.write(bytes(`to ${index}\n`));
        assertEquals(await greeting(stream), `to ${index}`);
      }
      for (const stream of streams) stream.close();
    }));

  it("takes plain SPDY where WebSockets are refused", () =>
    withCluster(async ({ practice, dialer, dial }) => {
      practice.faults.refuseWebSockets(403);
      const stream = await dial(7000);
      assertStringIncludes(await greeting(stream), "app-");
      stream.close();
      assertEquals(dialer.carrier, "spdy");
    }));

  it("gives up a session that freezes, and carries on in another", () => {
    const clock = new FakeClock();
    return withCluster(async ({ practice, dialer, dial }) => {
      const first = await dial(7000, { early: true });
      await greeting(first);
      first.close();
      practice.faults.freezeSessions(true);
      const dialing = dial(7000, { early: true }).then(greeting);
      await clock.advance(5_000);
      practice.faults.freezeSessions(false);
      assertStringIncludes(await dialing, "app-");
      assertEquals(dialer.sessions > 0, true);
    }, { clock });
  });
});
