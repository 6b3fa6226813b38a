import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SparingWarnings } from "../../src/platform/sparing_warnings.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { DialError } from "../../src/tunnel/dialer.ts";
import { TargetPorts } from "../../src/wiring/target_ports.ts";
import { FakeClock, until } from "../fake_clock.ts";

describe("TargetPorts", () => {
  it("tells once why a destination cannot be had, however often a program tries", async () => {
    const told: string[] = [];
    const log = {
      warn: (message: string) => void told.push(`warn ${message}`),
      debug: (message: string) => void told.push(`debug ${message}`),
    };
    const refused = new DialError("refused", 'Service "orders" has no port 81');
    const ports = new TargetPorts({
      dialer: { dial: () => Promise.reject(refused) },
      warnings: new SparingWarnings({ clock: new FakeClock(), log }),
    });
    const port = await ports.portFor({ host: "orders", port: 81 });
    for (let time = 0; time < 2; time++) {
      const stream = await connectTcp("127.0.0.1", port!, new AbortController().signal);
      await assertRejects(() => stream.read(new Uint8Array(1)));
      stream.close();
    }
    await until(() => told.length === 2);
    assertEquals(told, ['warn Service "orders" has no port 81', 'debug Service "orders" has no port 81']);
    await ports.close();
  });

  it("says so where there are too many destinations", async () => {
    const told: string[] = [];
    const ports = new TargetPorts({
      dialer: { dial: () => Promise.reject(new DialError("refused", "nobody asks")) },
      warnings: { warn: (_, sentence) => void told.push(sentence) },
      openPort: ({ host }) =>
        Promise.resolve({
          host,
          port: 7,
          connections: 0,
          traffic: { sent: 0, received: 0 },
          close: () => Promise.resolve(),
        }),
    });
    for (let port = 1; port <= 4096; port++) assertEquals(await ports.portFor({ host: "orders", port }), 7);
    assertEquals(told, []);
    assertEquals(await ports.portFor({ host: "orders", port: 5000 }), undefined);
    assertEquals(await ports.portFor({ host: "orders", port: 1 }), 7);
    assertEquals(told, [
      'Programs have asked for 4096 destinations, which is all that a session has ports for: hooks cannot lead to "orders:5000" before hawser is started again',
    ]);
    await ports.close();
    assertEquals(await ports.portFor({ host: "orders", port: 5001 }), undefined);
    assertEquals(told.length, 1);
  });
});
