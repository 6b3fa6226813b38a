// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { sendConsoleEvent } from "../platform/console_event.ts";

/**
 * A program for Windows: runs a command line until its first line on stdout or stderr that holds the first argument, then tells it what Windows does where its console window is closed.
 * Prints one line of JSON: its exit status, how many milliseconds it took to end, and all it wrote.
 */
if (import.meta.main) {
  const [word = "", program = "", ...args] = Deno.args;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  let text = "";
  const ready = Promise.withResolvers<void>();
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes(word)) ready.resolve();
    }
  });
  Promise.all(reading).then(() => ready.reject(new Error(`It ended without "${word}": ${text}`)));
  await ready.promise;
  const started = performance.now();
  await sendConsoleEvent(child.pid, "close", 5_000);
  const { code } = await child.status;
  const took = performance.now() - started;
  await Promise.all(reading);
  console.log(JSON.stringify({ code, took, text }));
}
