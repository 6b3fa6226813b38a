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
});
