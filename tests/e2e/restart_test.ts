import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { End } from "../stream/end.ts";
import { connectHawser, Home, RunningHawser } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { exchange, greet, open, socks5, through } from "./proxy_client.ts";
import { Scene } from "./scene.ts";

const clients = 8;

describe("restarts of pods", () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene, home: Home;
  let proxy = 0;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("restart"));
    const readinessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
    const ports = [{ name: "http", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }];
    await scene.apply(
      deployment("web", { replicas: 2, readinessProbe }),
      service("web", { ports }),
      deployment("single", { readinessProbe }),
      service("single", { ports }),
    );
    await scene.ready("deployment/web", "deployment/single");
    home = stack.use(await Home.open());
    const { running, report } = await connectHawser(home, ["-n", scene.namespace]);
    stack.use(running);
    proxy = report.port;
  });

  afterAll(() => stack.disposeAsync());

  it("rolling_restart_under_load: every new connection is had", async () => {
    const names = await scene.pods("web");
    const pods = new Set<string>();
    const refused: string[] = [];
    let done = false, count = 0, broken = 0;
    const load = Array.from({ length: clients }, async () => {
      while (!done) {
        const { code, end } = await socks5(proxy, "web", 80);
        count++;
        if (code !== 0) refused.push(`connection ${count}: SOCKS reply ${code}`);
        else {
          const answer = await exchange(end, "GET", "/", "web").catch(() => undefined);
          if (answer) pods.add(JSON.parse(answer.text).pod);
          else broken++;
          end.stream.close();
        }
      }
    });
    try {
      await scene.kubectl("rollout", "restart", "deployment/web");
      await scene.ready("deployment/web");
    } finally {
      done = true;
      await Promise.all(load);
    }
    assertEquals(refused, []);
    assert(count > 100, `only ${count} connections were made`);
    // Each of the pods that died may take with it what was under way in that moment.
    assert(broken <= names.length * clients, `${broken} of ${count} connections broke`);
    assert(pods.size >= 3, `answers came from ${[...pods]}`);
  });

  it("pod_restarts_mid_stream: the client sees a reset, and the next connection is had", async () => {
    const [pod = ""] = await scene.pods("single");
    const upload = await through(proxy, "single", 7000);
    await upload.send("sink\n");
    // Whether the pod's system resets the connection or ends it depends on what its program has read.
    const ended = drain(upload).catch(() => {});
    const uploading = assertRejects(() => flood(upload), Error);
    const download = await open(proxy);
    await download.send("GET http://single/bytes/100000000000 HTTP/1.1\r\nHost: single\r\n\r\n");
    await download.head();
    const downloading = assertRejects(() => drain(download), Error);
    await scene.kubectl("delete", "pod", pod, "--wait=false");
    const guard = setTimeout(() => [upload, download].forEach((end) => end.stream.close()), 30_000);
    const error = await downloading;
    assertEquals("code" in error && error.code, "ECONNRESET");
    await Promise.all([uploading, ended]);
    clearTimeout(guard);
    for (const end of [upload, download]) end.stream.close();
    await scene.kubectl("wait", "--for=delete", `pod/${pod}`, "--timeout=60s");
    await scene.ready("deployment/single");
    await scene.serves("single", pod);
    assert((await greet(proxy, "single", 80)).pod !== pod);
  });

  it("leave the ports of forward as they are", async () => {
    const words = ["forward", "-n", scene.namespace, "-o", "json", "deploy/single", ":7000", "single", ":7000"];
    await using forward = new RunningHawser(home, words);
    const { forwards }: { forwards: { port: number }[] } = JSON.parse(await forward.line());
    for (let round = 0; round < 2; round++) {
      for (const { port } of forwards) {
        const end = await open(port);
        await end.send("echo\nhello");
        assertEquals(await end.text(5), "hello", `round ${round}`);
        end.stream.close();
      }
      if (round > 0) break;
      const [pod = ""] = await scene.pods("single");
      await scene.kubectl("delete", "pod", pod);
      await scene.ready("deployment/single");
      await scene.serves("single", pod);
    }
  });
});

/** Sends until that fails. */
async function flood(end: End): Promise<never> {
  const block = new Uint8Array(65536);
  for (;;) await end.stream.write(block);
}

/** Reads until that fails; returns at the end of the stream. */
async function drain(end: End): Promise<void> {
  const buffer = new Uint8Array(1 << 20);
  while (await end.reader.read(buffer) !== null);
}
