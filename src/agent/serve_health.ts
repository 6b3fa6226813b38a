import type { Clock } from "../platform/clock.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";

/** Milliseconds that a probe may take to ask. */
const patience = 5_000;

/** Answers one readiness probe: 200, or 503 where the agent is not `ready`. Never rejects. */
export async function serveHealth(stream: Duplex, ready: () => boolean, clock: Clock): Promise<void> {
  const cancel = clock.after(patience, () => stream.reset());
  try {
    if (await new BufferedReader(stream).head() === null) return;
    const status = ready() ? "200 OK" : "503 Service Unavailable";
    await stream.write(
      new TextEncoder().encode(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
    );
    await stream.closeWrite();
  } catch {
    // A probe that breaks off asks again.
  } finally {
    cancel();
    stream.close();
  }
}
