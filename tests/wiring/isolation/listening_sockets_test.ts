import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SocketAddress } from "../../../src/cluster/parse_proc_net_tcp.ts";
import { listenTcp } from "../../../src/stream/listen_tcp.ts";
import { followListeningSockets, listeningSockets } from "../../../src/wiring/isolation/listening_sockets.ts";
import { FakeClock } from "../../fake_clock.ts";

describe("listeningSockets", () => {
  it("finds a port of this process, and no more once it is closed", { ignore: Deno.build.os !== "linux" }, async () => {
    const { port, close } = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    const mine = ({ address, port: each }: SocketAddress) => address === "127.0.0.1" && each === port;
    assert((await listeningSockets()).some(mine));
    await close();
    assertEquals((await listeningSockets()).filter(mine), []);
  });

  it("tells each address and port once", async () => {
    const line = "   0: 0100007F:1F90 00000000:0000 0A rest";
    const found = await listeningSockets(() => Promise.resolve(`head\n${line}\nhead\n${line}\n`));
    assertEquals(found, [{ address: "127.0.0.1", port: 8080 }]);
  });
});

describe("followListeningSockets", () => {
  it("calls back at the start and at changes, until it is told to end", async () => {
    const clock = new FakeClock();
    const over = new AbortController();
    const seen: number[][] = [];
    let now: SocketAddress[] = [];
    const following = followListeningSockets(
      100,
      (sockets) => void seen.push(sockets.map(({ port }) => port)),
      { clock, look: () => Promise.resolve(now) },
      over.signal,
    );
    await clock.advance(250);
    now = [{ address: "127.0.0.1", port: 8080 }];
    await clock.advance(250);
    over.abort();
    await following;
    assertEquals(seen, [[], [8080]]);
    assertEquals(clock.pending, 0);
  });
});
