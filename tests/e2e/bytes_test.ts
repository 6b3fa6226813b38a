import { createHash } from "node:crypto";
import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { End } from "../stream/end.ts";
import { connectHawser, Home } from "./hawser.ts";
import { kubectlForward } from "./kubectl.ts";
import { deployment, service } from "./manifests.ts";
import { open, through } from "./proxy_client.ts";
import { Scene } from "./scene.ts";

const mebibyte = 1 << 20;

describe("bytes beside kubectl port-forward", () => {
  const stack = new AsyncDisposableStack();
  let ours: (port: number) => Promise<End>;
  let theirs: (port: number) => Promise<End>;

  beforeAll(async () => {
    const scene = stack.use(await Scene.open("bytes"));
    await scene.apply(
      deployment("web"),
      service("web", { ports: [{ name: "http", port: 8080 }, { name: "raw", port: 7000 }] }),
    );
    await scene.ready("deployment/web");
    const home = stack.use(await Home.open());
    const { running, report } = await connectHawser(home, ["-n", scene.namespace]);
    stack.use(running);
    const forwards = new Map<number, number>();
    for (const port of [8080, 7000]) {
      const forward = stack.use(await kubectlForward(scene.namespace, "deployment/web", port));
      forwards.set(port, forward.port);
    }
    ours = (port) => through(report.port, "web", port);
    theirs = (port) => open(forwards.get(port)!);
  });

  afterAll(() => stack.disposeAsync());

  /** Runs the same conversation over both and expects the same outcome, which is returned. */
  async function same<T>(port: number, talk: (end: End) => Promise<T>): Promise<T> {
    const outcomes: T[] = [];
    for (const connect of [ours, theirs]) {
      const end = await connect(port);
      try {
        outcomes.push(await talk(end));
      } finally {
        end.stream.close();
      }
    }
    assertEquals(outcomes[0], outcomes[1]);
    return outcomes[0]!;
  }

  it("downloads the same", async () => {
    const { length } = await same(8080, async (end) => {
      await end.send("GET /bytes/67108864 HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
      await end.head();
      return await digest(end);
    });
    assertEquals(length, 64 * mebibyte);
  });

  it("uploads the same", async () => {
    const body = noise(32 * mebibyte);
    const text = await same(8080, async (end) => {
      await end.send(`POST /sink HTTP/1.1\r\nHost: web\r\nContent-Length: ${body.length}\r\n\r\n`);
      await end.stream.write(body);
      await end.head();
      return await end.text(9);
    });
    assertEquals(text, `${body.length}\n`);
  });

  it("echoes the same, in both directions at once", async () => {
    const body = noise(8 * mebibyte);
    const outcome = await same(7000, async (end) => {
      await end.send("echo\n");
      const [outcome] = await Promise.all([digest(end, body.length), end.stream.write(body)]);
      return outcome;
    });
    assertEquals(outcome, { length: body.length, hash: createHash("sha256").update(body).digest("hex") });
  });

  it("gives all that came before the server closed, and then the end", async () => {
    const { length } = await same(7000, async (end) => {
      await end.send("source 10000000\n");
      return await digest(end);
    });
    assertEquals(length, 10_000_000);
    assertEquals(await same(7000, async (end) => (await end.send("close\n"), await end.rest())), "");
  });

  it("waits for an answer that comes long after the client has ended its direction, where kubectl gives up", async () => {
    const ask = async (end: End) => {
      await end.send("GET /slow/3000 HTTP/1.1\r\nHost: web\r\n\r\n");
      await end.stream.closeWrite();
      const head = await end.head();
      end.stream.close();
      return head.split("\r\n")[0];
    };
    assertEquals(await ask(await ours(8080)), "HTTP/1.1 200 OK");
    // The node cuts everything a second after either side has ended; kubectl lets it.
    assertEquals(await ask(await theirs(8080)), "");
  });

  it("passes a reset by the server on as a reset", async () => {
    const end = await ours(7000);
    // It closes with bytes unread, which TCP turns into a reset.
    await end.send(`close\n${"x".repeat(10_000)}`);
    const error = await assertRejects(() => end.rest(), Error);
    assertEquals("code" in error && error.code, "ECONNRESET");
    end.stream.close();
  });
});

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/** Reads to the end, or so many bytes. */
async function digest(end: End, limit = Infinity): Promise<{ length: number; hash: string }> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(mebibyte);
  let length = 0;
  while (length < limit) {
    const count = await end.reader.read(buffer);
    if (count === null) break;
    hash.update(buffer.subarray(0, count));
    length += count;
  }
  return { length, hash: hash.digest("hex") };
}
