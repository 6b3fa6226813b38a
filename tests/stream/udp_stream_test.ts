import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connectUdp } from "../../src/stream/connect_udp.ts";
import { frameDatagram } from "../../src/stream/datagram_frames.ts";
import { FakeClock } from "../fake_clock.ts";
import { udpEcho } from "./udp_echo.ts";

const never = new AbortController().signal;

describe("UdpStream", () => {
  it("carries datagrams there and back, however their frames are cut", async () => {
    await using echo = await udpEcho();
    const stream = await connectUdp("127.0.0.1", echo.port, never, { clock: new FakeClock() });
    const frame = frameDatagram(new TextEncoder().encode("hello"));
    await stream.write(frame.slice(0, 3));
    await stream.write(frame.slice(3));
    const buffer = new Uint8Array(100);
    const count = await stream.read(buffer);
    assertEquals(buffer.slice(0, count ?? 0), frame);
    stream.close();
  });

  it("ends after a minute of silence, counted from the last datagram", async () => {
    await using echo = await udpEcho();
    const clock = new FakeClock();
    const stream = await connectUdp("127.0.0.1", echo.port, never, { clock });
    await clock.advance(50_000);
    await stream.write(frameDatagram(Uint8Array.of(1)));
    const buffer = new Uint8Array(100);
    assertEquals(await stream.read(buffer), 3);
    await clock.advance(59_000);
    await stream.write(frameDatagram(Uint8Array.of(2)));
    assertEquals(await stream.read(buffer), 3);
    const end = stream.read(buffer);
    await clock.advance(60_000);
    assertEquals(await end, null);
  });

  it("ends when our direction does, and says of a name that there is none", async () => {
    await using echo = await udpEcho();
    const deps = { clock: new FakeClock() };
    const stream = await connectUdp("127.0.0.1", echo.port, never, deps);
    await stream.closeWrite();
    assertEquals(await stream.read(new Uint8Array(10)), null);
    await assertRejects(() => connectUdp("no-such-name.invalid", 53, never, deps));
  });
});
