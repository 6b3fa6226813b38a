import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LeaseSightings } from "../../src/inbound/lease_sightings.ts";
import { FakeClock } from "../fake_clock.ts";

function lease(resourceVersion: string, renewTime = "2031-01-01T00:00:00.000000Z") {
  return { metadata: { name: "l", uid: "u", resourceVersion }, spec: { leaseDurationSeconds: 40, renewTime } };
}

describe("LeaseSightings", () => {
  it("calls a holder dead only when nothing was renewed for as long as the Lease lasts, whatever its clock says", async () => {
    const clock = new FakeClock();
    const sightings = new LeaseSightings(clock);
    assertEquals(sightings.see(lease("1")), "unknown");
    await clock.advance(39_000);
    assertEquals(sightings.see(lease("1")), "unknown");
    await clock.advance(1_000);
    assertEquals(sightings.see(lease("1")), "expired");
  });

  it("calls a holder alive once it has renewed before our eyes, until that is too long ago", async () => {
    const clock = new FakeClock();
    const sightings = new LeaseSightings(clock);
    sightings.see(lease("1"));
    await clock.advance(10_000);
    assertEquals(sightings.see(lease("2", "1999-01-01T00:00:00.000000Z")), "alive");
    await clock.advance(30_000);
    assertEquals(sightings.see(lease("2")), "alive");
    await clock.advance(10_000);
    assertEquals(sightings.see(lease("2")), "expired");
  });
});
