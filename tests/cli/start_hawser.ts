import { type consoleEvents, sendConsoleEvent } from "../platform/console_event.ts";
import { hawserCommand } from "./hawser_process.ts";

/** A hawser that goes on running. */
export interface StartedHawser {
  readonly pid: number;
  /** Its first line on stdout. */
  readonly line: string;
  /** Ends it by a signal, or by what a console of Windows tells it; SIGINT is Ctrl-C on all systems. */
  end(by: Deno.Signal | keyof typeof consoleEvents): Promise<EndedHawser>;
  /** Waits until it ends. */
  ended(): Promise<EndedHawser>;
}

/** How it ended, and what it said on stderr. */
export interface EndedHawser {
  readonly code: number;
  readonly err: string;
}

/** Starts a hawser and waits for its first line. Rejects with what it said where it ends without. */
export async function startHawser(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<StartedHawser> {
  const child = hawserCommand(args, env).spawn();
  const complaints = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended: ${await complaints}`);
    text += value;
  }
  const ended = async () => {
    const { code } = await child.status;
    await reader.cancel();
    return { code, err: await complaints };
  };
  return {
    pid: child.pid,
    line: text.slice(0, text.indexOf("\n")),
    ended,
    async end(by) {
      const event = by === "SIGINT" && Deno.build.os === "windows" ? "ctrlC" : by;
      if (isSignal(event)) child.kill(event);
      else await sendConsoleEvent(child.pid, event, 5_000);
      return await ended();
    },
  };
}

function isSignal(by: Deno.Signal | keyof typeof consoleEvents): by is Deno.Signal {
  return by.startsWith("SIG");
}
