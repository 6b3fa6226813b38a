import { parseProcNetTcp, type SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Clock } from "../../platform/clock.ts";

/** TCP sockets that listen in the network namespace of this process, each address and port once, sorted. */
export async function listeningSockets(
  readTextFile: (path: string) => Promise<string> = Deno.readTextFile,
): Promise<readonly SocketAddress[]> {
  // No tcp6 where IPv6 is switched off.
  const texts = await Promise.all(
    ["tcp", "tcp6"].map((name) => readTextFile(`/proc/self/net/${name}`).catch(() => "")),
  );
  const found = new Map<string, SocketAddress>();
  for (const text of texts) {
    for (const { local, listening } of parseProcNetTcp(text)) {
      if (listening) found.set(`${local.port} ${local.address}`, local);
    }
  }
  return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([, socket]) => socket);
}

/** Calls back with the sockets at each change, every `interval` milliseconds at the most; until the signal aborts. Never rejects. */
export async function followListeningSockets(
  interval: number,
  onChange: (sockets: readonly SocketAddress[]) => void | Promise<void>,
  { clock, look = listeningSockets }: {
    readonly clock: Clock;
    readonly look?: () => ReturnType<typeof listeningSockets>;
  },
  signal: AbortSignal,
): Promise<void> {
  let known: string | undefined;
  while (!signal.aborted) {
    const sockets = await look();
    const key = JSON.stringify(sockets);
    if (key !== known) await onChange(sockets);
    known = key;
    await clock.sleep(interval, signal).catch(() => {});
  }
}
