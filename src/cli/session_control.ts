import { BufferedReader } from "../stream/buffered_reader.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import { openBody, responseFraming } from "../stream/http_body.ts";
import { formatRequestHead, parseResponseHead } from "../stream/http_head.ts";
import type { SessionNote } from "./session_note.ts";

/** What the control pages of a session can be asked for. */
export type ControlPage = "/status" | "/stop";

const maxAnswer = 4 * 1024 * 1024;

/**
 * Asks a control page of a running session: GET for `/status`, POST for `/stop`. Resolves with the JSON it answers, or undefined when nobody
 * answers who knows this session's token. Uses no proxy, whatever the environment says.
 */
export async function askSession(note: SessionNote, page: ControlPage, signal: AbortSignal): Promise<unknown> {
  try {
    const stream = await connectTcp("127.0.0.1", note.port, signal);
    const abort = () => stream.reset();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await stream.write(formatRequestHead({
        method: page === "/stop" ? "POST" : "GET",
        target: page,
        minor: 1,
        headers: [
          ["Host", `127.0.0.1:${note.port}`],
          ["Authorization", `Bearer ${note.token}`],
          ["Content-Length", "0"],
          ["Connection", "close"],
        ],
      }));
      const reader = new BufferedReader(stream);
      const bytes = await reader.head(16 * 1024);
      if (bytes === null) return undefined;
      const head = parseResponseHead(bytes);
      const text = await readText(openBody(reader, responseFraming(head, "GET")));
      return head.status === 200 ? JSON.parse(text) : undefined;
    } finally {
      signal.removeEventListener("abort", abort);
      stream.close();
    }
  } catch {
    return undefined; // not there, or something else that happens to use the port now
  }
}

async function readText(body: { read(into: Uint8Array): Promise<number | null> }): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (let count = await body.read(buffer); count !== null; count = await body.read(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > maxAnswer) {
      throw new RangeError(`An answer of more than ${maxAnswer} characters is no status page`);
    }
  }
  return text;
}
