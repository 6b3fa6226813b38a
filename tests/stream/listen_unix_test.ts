import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { systemClock } from "../../src/platform/clock.ts";
import { connectUnix } from "../../src/stream/connect_unix.ts";
import { listenUnix } from "../../src/stream/listen_unix.ts";

describe("listenUnix", () => {
  it("hands connections over, and removes its path when closed", { ignore: Deno.build.os === "windows" }, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    const listener = listenUnix(path, { clock: systemClock }, async (stream) => {
      const buffer = new Uint8Array(16);
      const count = await stream.read(buffer);
      await stream.write(buffer.subarray(0, count ?? 0));
      stream.close();
    });
    const stream = await connectUnix(path);
    await stream.write(Uint8Array.of(1, 2, 3));
    const buffer = new Uint8Array(16);
    assertEquals([await stream.read(buffer), buffer[2]], [3, 3]);
    assertEquals(await stream.read(buffer), null);
    stream.close();
    await listener.close();
    await assertRejects(() => connectUnix(path), Deno.errors.NotFound);
    await Deno.remove(folder);
  });
});
