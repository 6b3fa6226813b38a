import type { Duplex } from "./duplex.ts";
import { NativeStream } from "./native_stream.ts";

/** Connects to a unix socket. Rejects with Deno's error: `NotFound` where there is none, `ConnectionRefused` where nobody listens any more. */
export async function connectUnix(path: string): Promise<Duplex> {
  return new NativeStream(await Deno.connect({ transport: "unix", path }));
}
