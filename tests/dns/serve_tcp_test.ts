import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Responder } from "../../src/dns/responder.ts";
import { serveTcp } from "../../src/dns/serve_tcp.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { FakeClock } from "../fake_clock.ts";
import { queryMessage } from "./dns_client.ts";
import { fakeDirectory, service } from "./fake_directory.ts";

describe("serveTcp", () => {
  it("ends in peace when an answer cannot be written while the next query is awaited", async () => {
    const query = queryMessage({ name: "orders", type: "A" });
    const stream = new DeafStream(Uint8Array.from([0, query.length, ...query]));
    const messages: string[] = [];
    const clock = new FakeClock();
    const log = { ...silentLog, debug: (message: string) => void messages.push(message) };
    const directory = fakeDirectory({ services: [[service("orders", { clusterIPs: ["10.96.0.7"] })]] });
    const responder = new Responder({ directory, clock, log, localAddress: () => undefined, forwarder: undefined });
    await serveTcp(stream, { responder, clock, log }, new AbortController().signal);
    assertEquals(stream.state, "closed");
    assertStringIncludes(messages.join(), "the peer reads nothing");
  });
});

/** Sends its bytes and then nothing, and takes no answer. */
class DeafStream implements Duplex {
  state: "open" | "reset" | "closed" = "open";
  #bytes: Uint8Array;
  readonly #end = Promise.withResolvers<null>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(into: Uint8Array): Promise<number | null> {
    const count = this.#bytes.length;
    if (count === 0) return this.#end.promise;
    into.set(this.#bytes);
    this.#bytes = new Uint8Array(0);
    return Promise.resolve(count);
  }

  write(): Promise<void> {
    return Promise.reject(new Error("the peer reads nothing"));
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  reset(): void {
    this.state = "reset";
    this.#end.resolve(null);
  }

  close(): void {
    this.state = "closed";
  }
}
