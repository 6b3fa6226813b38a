import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SparingWarnings } from "../../src/platform/sparing_warnings.ts";
import { FakeClock } from "../fake_clock.ts";

function stage() {
  const clock = new FakeClock();
  const told: string[] = [];
  const log = {
    warn: (message: string) => void told.push(`warn ${message}`),
    debug: (message: string) => void told.push(`debug ${message}`),
  };
  return { clock, told, warnings: new SparingWarnings({ clock, log }) };
}

describe("SparingWarnings", () => {
  it("says the same about the same destination once in 30 s", async () => {
    const { clock, told, warnings } = stage();
    warnings.warn("orders:80", "no pod");
    await clock.advance(29_999);
    warnings.warn("orders:80", "no pod");
    await clock.advance(1);
    warnings.warn("orders:80", "no pod");
    assertEquals(told, ["warn no pod", "debug no pod", "warn no pod"]);
  });

  it("says another sentence, and the same of another destination, at once", () => {
    const { told, warnings } = stage();
    warnings.warn("orders:80", "no pod");
    warnings.warn("orders:80", "gone");
    warnings.warn("web:80", "no pod");
    assertEquals(told, ["warn no pod", "warn gone", "warn no pod"]);
  });

  it("stops warning after 100 in 30 s, and goes on when they are over", async () => {
    const { clock, told, warnings } = stage();
    for (let port = 1; port <= 150; port++) warnings.warn(`orders:${port}`, `no port ${port}`);
    assertEquals(told.filter((each) => each.startsWith("warn")).length, 100);
    await clock.advance(30_000);
    warnings.warn("orders:150", "no port 150");
    assertEquals(told.at(-1), "warn no port 150");
  });
});
