import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { holdConsoleEnd } from "../../src/platform/hold_console_end.ts";
import { sendConsoleEvent } from "./console_event.ts";
import { OwnProcess } from "./own_process.ts";

const here = (path: string) => JSON.stringify(import.meta.resolve(path));
const windows = Deno.build.os === "windows";

describe("holdConsoleEnd", { ignore: !windows }, () => {
  const watching = `
    import { watchInterrupts } from ${here("../../src/platform/interrupt.ts")};
    const interrupts = watchInterrupts();
    interrupts.signal.addEventListener("abort", async () => {
      console.log(interrupts.signal.reason.by);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      interrupts.close();
      console.log("all is put back", interrupts.ending.aborted);
      Deno.exit(5);
    });
    setInterval(() => {}, 1000);
    await new Promise((resolve) => setTimeout(resolve, 1500)); // its handler is in place a moment later
    console.log("watches");`;

  for (const [event, signal] of [["close", "SIGHUP"], ["logoff", "SIGTERM"]] as const) {
    it(`leaves the time to put things back at ${event}`, async () => {
      await using process = await OwnProcess.start(watching);
      assertEquals(await process.line(), "watches");
      assertEquals(await sendConsoleEvent(process.pid, event, 600), false, "Windows would have ended it by now");
      assertEquals([await process.line(), await process.line()], [signal, "all is put back true"]);
      assertEquals(await process.ended(), 5);
    });
  }

  for (const [event, signal] of [["ctrlC", "SIGINT"], ["ctrlBreak", "SIGBREAK"]] as const) {
    it(`leaves ${event} to Deno`, async () => {
      await using process = await OwnProcess.start(watching);
      assertEquals(await process.line(), "watches");
      assertEquals(await sendConsoleEvent(process.pid, event, 3000), true);
      assertEquals([await process.line(), await process.line()], [signal, "all is put back false"]);
      assertEquals(await process.ended(), 5);
    });
  }

  it("gives up at any time", async () => {
    holdConsoleEnd(() => {})(); // before its thread has begun
    const giveUp = holdConsoleEnd(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1500));
    giveUp();
  });
});
