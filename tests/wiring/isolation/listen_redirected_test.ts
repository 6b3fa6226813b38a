import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { openOriginalDestinations } from "../../../src/platform/original_destination.ts";
import { connectTcp } from "../../../src/stream/connect_tcp.ts";
import { listenRedirected } from "../../../src/wiring/isolation/listen_redirected.ts";

const never = new AbortController().signal;
const linux = Deno.build.os === "linux";

describe("listenRedirected", { ignore: !linux }, () => {
  it("resets a connection that nothing has redirected, and keeps no copy of it open", async () => {
    const destinations = openOriginalDestinations();
    const handed: unknown[] = [];
    const { port, close } = await listenRedirected({ host: "127.0.0.1", port: 0 }, destinations, (stream) => {
      handed.push(stream);
    });
    // With a copy of the socket still open, the reset would never be sent. It may come as soon as the connection stands.
    const error = await assertRejects(async () => {
      const stream = await connectTcp("127.0.0.1", port, never);
      await stream.read(new Uint8Array(1)).finally(() => stream.close());
    }, Error);
    assertEquals((error as Error & { code?: string }).code, "ECONNRESET");
    assertEquals(handed, []);
    await close();
    destinations.close();
  });
});
