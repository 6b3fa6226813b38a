/** A server on 127.0.0.1 that sends back what it is sent, and ends where its client does. */
export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  /** How many there were so far. */
  readonly connections: number;
}

/** Opens an {@linkcode EchoServer} on a free port. */
export function openEchoServer(): EchoServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      open.push(connection.readable.pipeTo(connection.writable).catch(() => {})); // the client went away
    }
  })();
  return {
    port: listener.addr.port,
    get connections() {
      return open.length;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}
