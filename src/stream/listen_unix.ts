import type { Clock } from "../platform/clock.ts";
import type { Duplex } from "./duplex.ts";
import { NativeStream } from "./native_stream.ts";

/** A listening unix socket. */
export interface UnixListener {
  /** Stops listening and removes the path; connections live on. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket that is made at `path`, which its folder must keep from others, and hands over each connection. Throws where the path
 * cannot be had.
 */
export function listenUnix(
  path: string,
  { clock }: { readonly clock: Clock },
  onConnection: (stream: Duplex) => void,
): UnixListener {
  const listener = Deno.listen({ transport: "unix", path });
  const accepted = acceptAll(listener, clock, onConnection);
  return {
    async close() {
      listener.close();
      await accepted;
      await Deno.remove(path).catch(() => {}); // its folder may be gone already
    },
  };
}

async function acceptAll(
  listener: Deno.UnixListener,
  clock: Clock,
  onConnection: (stream: Duplex) => void,
): Promise<void> {
  for (;;) {
    try {
      onConnection(new NativeStream(await listener.accept()));
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return; // closed
      await clock.sleep(rest); // out of file descriptors and the like
    }
  }
}

/** Milliseconds of rest after an accept that failed. */
const rest = 100;
