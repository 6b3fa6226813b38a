import { Failure } from "../platform/failure.ts";
import { selfCommand } from "../platform/self.ts";
import type { ConnectReport } from "./connect_report.ts";
import type { CliDeps } from "./deps.ts";

/**
 * Starts this command line once more in the background and resolves once it is ready. Where it fails instead, what it said goes to our
 * stderr. An abort ends it.
 */
export async function connectInBackground(deps: CliDeps, signal: AbortSignal): Promise<ConnectReport> {
  const { program, args } = selfCommand([...deps.args, "--detach=false", "--detached", "--output=json"]);
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a group of its own: Ctrl-C here, or the end of this terminal, is not for it
  }).spawn();
  const end = () => child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  deps.terminal.progress("Connecting in the background…");
  const complaints = readText(child.stderr);
  try {
    const line = await firstLine(child.stdout);
    signal.throwIfAborted();
    if (line !== undefined) return JSON.parse(line);
    await child.status;
    throw new Failure(withoutPrefix(await complaints) || "The session in the background ended before it was ready");
  } finally {
    signal.removeEventListener("abort", end);
    child.unref(); // from here on it is on its own
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
}

async function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  return (await Array.fromAsync(stream.pipeThrough(new TextDecoderStream()))).join("");
}

function withoutPrefix(text: string): string {
  return text.trim().replace(/^hawser: /, "");
}
