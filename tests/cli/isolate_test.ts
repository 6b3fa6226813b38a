import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isolate } from "../../src/cli/isolate.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { Failure } from "../../src/platform/failure.ts";
import { silentLog } from "../../src/platform/log.ts";

describe("isolate", () => {
  // Nothing of a connection is needed to say no.
  const connection = {} as Parameters<typeof isolate>[1];
  const told: string[] = [];
  const log = { ...silentLog, event: (message: string) => void told.push(message) };
  const deps = { os: "darwin", env: {}, clock: systemClock, log } as const;

  it("says why it cannot be, and what else there is", async () => {
    await assertRejects(
      () => isolate("net", connection, deps),
      Failure,
      "The program cannot have a network of its own: it takes namespaces, which only Linux has. Leave --isolate out",
    );
  });

  it("does without where it may, with a line that says so", async () => {
    assertEquals(await isolate("auto", connection, deps), undefined);
    assertEquals(told, [
      "The program cannot have a network of its own: it takes namespaces, which only Linux has. It runs without",
    ]);
  });

  it("is nothing where nobody asks for it", async () => {
    assertEquals(await isolate("none", connection, deps), undefined);
  });
});
