import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Terminal, type TextSink } from "../../src/cli/terminal.ts";
import { TerminalLog } from "../../src/cli/terminal_log.ts";
import { FakeClock } from "../fake_clock.ts";
import { fakeTerminal } from "./fake_deps.ts";

function terminalOn(stdout: TextSink): Terminal {
  return new Terminal({ stdout, stderr: stdout, columns: () => undefined, noColor: false });
}

describe("Terminal", () => {
  it("keeps results on stdout and the rest on stderr", async () => {
    const { terminal, written } = fakeTerminal();
    terminal.print("result");
    terminal.tell("news");
    terminal.progress("working");
    await terminal.flush();
    assertEquals(written, { out: "result\n", err: "news\n" });
  });

  it("shows progress on a terminal only, below the news, and wipes it off", async () => {
    const { terminal, written } = fakeTerminal({ columns: 80 });
    terminal.progress("working");
    terminal.tell("news");
    terminal.print("result");
    await terminal.flush();
    assertEquals(written.err, "\r\x1b[Kworking\r\x1b[Knews\n\r\x1b[Kworking\r\x1b[K");
  });

  it("tells what takes long in a line, once, where there is no screen", async () => {
    const clock = new FakeClock();
    const { terminal, written } = fakeTerminal({ clock });
    terminal.progress("working");
    terminal.progress("waiting for bob");
    await clock.advance(2_000);
    terminal.tell("news");
    await clock.advance(999);
    assertEquals(written.err, "news\n");
    await clock.advance(60_000);
    assertEquals(written.err, "news\nwaiting for bob\n");
    terminal.progress("nearly done");
    terminal.progress("");
    terminal.counter("7 requests");
    await clock.advance(60_000);
    await terminal.flush();
    assertEquals(written.err, "news\nwaiting for bob\n");
  });

  it("shows results, news and progress in the order they were given, where both streams are one screen", async () => {
    let screen = "";
    const stream = (delay: number): TextSink => ({
      isTerminal: () => true,
      async write(data) {
        for (let turn = 0; turn < delay; turn++) await Promise.resolve();
        screen += new TextDecoder().decode(data);
        return data.length;
      },
    });
    const terminal = new Terminal({ stdout: stream(1), stderr: stream(9), columns: () => 80, noColor: true });
    terminal.progress("working");
    terminal.print("result");
    terminal.tell("news");
    await terminal.flush();
    assertEquals(screen, "\r\x1b[Kworking\r\x1b[Kresult\nnews\n");
  });

  it("writes all of a text even where the system takes a part at a time", async () => {
    let text = "";
    const terminal = terminalOn({
      isTerminal: () => false,
      write(data) {
        text += new TextDecoder().decode(data.subarray(0, 3));
        return Promise.resolve(Math.min(3, data.length));
      },
    });
    terminal.print("a long line");
    await terminal.flush();
    assertEquals(text, "a long line\n");
  });

  it("drops what a closed pipe does not take", async () => {
    let attempts = 0;
    const terminal = terminalOn({
      isTerminal: () => false,
      write() {
        attempts++;
        return Promise.reject(new Deno.errors.BrokenPipe());
      },
    });
    terminal.print("one");
    await terminal.flush();
    terminal.print("two");
    await terminal.flush();
    assertEquals(attempts, 1);
  });

  it("does not pile up what a stalled reader leaves", async () => {
    const started = Promise.withResolvers<void>();
    const stalled = Promise.withResolvers<number>();
    let bytes = 0;
    const terminal = terminalOn({
      isTerminal: () => false,
      async write(data) {
        started.resolve();
        await stalled.promise;
        bytes += data.length;
        return data.length;
      },
    });
    const line = "x".repeat(1024 * 1024 - 1);
    for (let count = 0; count < 10; count++) terminal.print(line);
    await started.promise;
    stalled.resolve(0);
    await terminal.flush();
    assertEquals(bytes, 4 * 1024 * 1024);
  });

  it("colours only what a terminal shows, and nothing under NO_COLOR", () => {
    const sink = (isTerminal: boolean): TextSink => ({
      isTerminal: () => isTerminal,
      write: (data) => Promise.resolve(data.length),
    });
    const style = (isTerminal: boolean, noColor: boolean) =>
      new Terminal({ stdout: sink(isTerminal), stderr: sink(isTerminal), columns: () => 80, noColor }).style(
        "red",
        "x",
      );
    assertEquals([style(true, false), style(true, true), style(false, false)], ["\x1b[31mx\x1b[0m", "x", "x"]);
  });

  it("goes on elsewhere after a redirect", async () => {
    const { terminal, written } = fakeTerminal();
    const other = fakeTerminal();
    terminal.print("before");
    await terminal.redirect({
      isTerminal: () => false,
      write: (data) => {
        other.written.out += new TextDecoder().decode(data);
        return Promise.resolve(data.length);
      },
    });
    terminal.print("after");
    terminal.tell("news");
    await terminal.flush();
    assertEquals([written.out, other.written.out], ["before\n", "after\nnews\n"]);
  });
});

describe("TerminalLog", () => {
  it("shows events always, the rest up to its level, with the time of day", () => {
    const lines: string[] = [];
    const wall = new Date(2026, 0, 2, 3, 4, 5).getTime();
    const log = new TerminalLog({ tell: (line) => void lines.push(line) }, "warn", { wall: () => wall });
    log.event("pod gone");
    log.error("e");
    log.warn("w");
    log.info("i");
    log.debug("d");
    assertEquals(lines, ["03:04:05 pod gone", "03:04:05 error: e", "03:04:05 warn: w"]);
  });
});
