/** Options of {@linkcode getAvailablePort}. */
export interface GetAvailablePortOptions {
  /** The port to answer if nobody listens on it. @default 0, any port */
  preferredPort?: number;
}

/** Answers a TCP port on which nobody listens at this moment, as `@std/net/get-available-port` does. */
export function getAvailablePort(options: GetAvailablePortOptions = {}): number {
  try {
    return listenOnce(options.preferredPort ?? 0);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return listenOnce(0);
  }
}

function listenOnce(port: number): number {
  using listener = Deno.listen({ port });
  return listener.addr.port;
}
