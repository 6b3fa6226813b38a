import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LeaseSightings } from "../../src/inbound/lease_sightings.ts";
import { FakeClock } from "../fake_clock.ts";

function lease(resourceVersion: string, renewTime = "2031-01-01T00:00:00.000000Z", ...written: readonly string[]) {
  const managedFields = written.map((time) => ({ time }));
  return {
    metadata: { name: "l", uid: "u", resourceVersion, managedFields },
    spec: { leaseDurationSeconds: 40, renewTime },
  };
}

describe("LeaseSightings", () => {
  it("calls a holder dead only when nothing was renewed for as long as the Lease lasts, whatever its clock says", async () => {
    const clock = new FakeClock();
    const sightings = new LeaseSightings(clock, undefined);
    assertEquals(sightings.see(lease("1"), undefined), "unknown");
    await clock.advance(39_000);
    assertEquals(sightings.see(lease("1"), undefined), "unknown");
    await clock.advance(1_000);
    assertEquals(sightings.see(lease("1"), undefined), "expired");
  });

  it("calls a holder alive once it has renewed before our eyes, until that is too long ago", async () => {
    const clock = new FakeClock();
    const sightings = new LeaseSightings(clock, undefined);
    sightings.see(lease("1"), undefined);
    await clock.advance(10_000);
    assertEquals(sightings.see(lease("2", "1999-01-01T00:00:00.000000Z"), undefined), "alive");
    await clock.advance(30_000);
    assertEquals(sightings.see(lease("2"), undefined), "alive");
    await clock.advance(10_000);
    assertEquals(sightings.see(lease("2"), undefined), "expired");
  });

  it("calls a holder dead at once whose Lease has run out by the server's own clock", () => {
    const sightings = new LeaseSightings(new FakeClock(), undefined);
    const date = Date.parse("2026-05-01T12:00:43Z");
    const stood = lease("1", undefined, "2026-05-01T11:00:00Z", "2026-05-01T12:00:00Z");
    assertEquals(sightings.see(stood, date), "expired");
    const other = { ...stood, metadata: { ...stood.metadata, uid: "v" } };
    assertEquals(sightings.see(other, date - 1_000), "unknown");
  });

  it("watches for no longer than the rest of the time, by the server's clock", async () => {
    const clock = new FakeClock();
    const sightings = new LeaseSightings(clock, undefined);
    const date = Date.parse("2026-05-01T12:00:20Z");
    const quiet = lease("1", undefined, "2026-05-01T12:00:00Z");
    assertEquals(sightings.see(quiet, date), "unknown");
    await clock.advance(22_000);
    assertEquals(sightings.see(quiet, date + 22_000), "unknown");
    await clock.advance(1_000);
    assertEquals(sightings.see(quiet, date + 23_000), "expired");
  });

  it("does not take a server's word that makes no sense, or is none", () => {
    const sightings = new LeaseSightings(new FakeClock(), undefined);
    const late = Date.parse("2026-05-01T13:00:00Z");
    assertEquals(sightings.see(lease("1", undefined, "yesterday"), late), "unknown");
    assertEquals(sightings.see(lease("1"), late), "unknown");
    assertEquals(sightings.see(lease("1", undefined, "2026-05-01T12:00:00Z"), undefined), "unknown");
  });

  it("calls a process of this machine dead that is no more, and has others watched", () => {
    const process = { isGone: (mark: string | undefined) => mark === "dead" };
    const sightings = new LeaseSightings(new FakeClock(), process);
    const { metadata, spec } = lease("1");
    const held = (mark: string) => ({ metadata: { ...metadata, annotations: { "hawser.dev/process": mark } }, spec });
    assertEquals(["alive", "dead"].map((mark) => sightings.see(held(mark), undefined)), ["unknown", "expired"]);
  });
});
