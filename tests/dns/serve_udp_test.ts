import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Directory } from "../../src/cluster/directory.ts";
import { Responder } from "../../src/dns/responder.ts";
import { serveUdp } from "../../src/dns/serve_udp.ts";
import { type Log, silentLog } from "../../src/platform/log.ts";
import { FakeClock } from "../fake_clock.ts";
import { queryMessage, readMessage } from "./dns_client.ts";
import { fakeDirectory, service } from "./fake_directory.ts";

const asker: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: 40000 };
const query = queryMessage({ name: "orders", type: "A" });

describe("serveUdp", () => {
  it("goes on when Windows reports that an earlier answer met a closed port", async () => {
    const socket = new FakeSocket([new Deno.errors.ConnectionReset("WSAECONNRESET"), query]);
    await serve(socket, async () => {
      assertEquals(readMessage(await socket.sent()).answers, ["orders A 10.96.0.7"]);
    });
  });

  it("rests after any other failure to receive, and goes on", async () => {
    const socket = new FakeSocket([new Error("no buffer space"), query]);
    await serve(socket, async (clock, logged) => {
      assertStringIncludes(await logged, "no buffer space");
      assertEquals(socket.events.length, 1);
      await clock.advance(100);
      await socket.sent();
    });
  });

  it("goes on when an answer cannot be sent", async () => {
    const socket = new FakeSocket([query, query]);
    socket.failure = new Error("no route");
    await serve(socket, async (_, logged) => {
      assertStringIncludes(await logged, "no route");
      await socket.sent();
    });
  });

  it("drops what comes while 512 queries are under way", async () => {
    const slow = Promise.withResolvers<void>();
    const answered = fakeDirectory({ services: [] });
    let asked = 0;
    const lookup: Directory["lookup"] = async (host, signal) => {
      asked++;
      await slow.promise;
      return await answered.lookup(host, signal);
    };
    const socket = new FakeSocket(new Array(600).fill(query));
    await serve(socket, async () => {
      await socket.received();
      assertEquals(asked, 512);
      slow.resolve();
      await socket.sent();
    }, { ...answered, lookup });
  });
});

/** A socket that receives what the test says and then nothing. */
class FakeSocket implements Pick<Deno.DatagramConn, "receive" | "send"> {
  /** What is still to be received. */
  readonly events: (Uint8Array | Error)[];
  /** What the next send fails with. */
  failure: Error | undefined;
  readonly #received = Promise.withResolvers<void>();
  readonly #sent = Promise.withResolvers<Uint8Array>();
  readonly #closed = Promise.withResolvers<never>();

  constructor(events: readonly (Uint8Array | Error)[]) {
    this.events = [...events];
  }

  receive(buffer: Uint8Array<ArrayBuffer> = new Uint8Array(512)): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    const event = this.events.shift();
    if (event instanceof Error) return Promise.reject(event);
    if (!event) {
      this.#received.resolve();
      return this.#closed.promise;
    }
    buffer.set(event);
    return Promise.resolve([buffer.subarray(0, event.length), asker]);
  }

  send(message: Uint8Array): Promise<number> {
    const { failure } = this;
    this.failure = undefined;
    if (failure) return Promise.reject(failure);
    this.#sent.resolve(message);
    return Promise.resolve(message.length);
  }

  /** Resolves once all there is was received and more is wanted. */
  received(): Promise<void> {
    return this.#received.promise;
  }

  /** The first message sent. */
  sent(): Promise<Uint8Array> {
    return this.#sent.promise;
  }

  close(): void {
    this.#closed.reject(new Deno.errors.Interrupted("closed"));
  }
}

async function serve(
  socket: FakeSocket,
  meanwhile: (clock: FakeClock, logged: Promise<string>) => Promise<void>,
  directory: Directory = fakeDirectory({ services: [[service("orders", { clusterIPs: ["10.96.0.7"] })]] }),
): Promise<void> {
  const clock = new FakeClock();
  const logged = Promise.withResolvers<string>();
  const log: Log = { ...silentLog, debug: logged.resolve };
  const responder = new Responder({ directory, clock, log, localAddress: () => undefined, forwarder: undefined });
  const controller = new AbortController();
  const served = serveUdp(socket, { responder, clock, log }, controller.signal);
  await meanwhile(clock, logged.promise);
  controller.abort();
  socket.close();
  await served;
}
