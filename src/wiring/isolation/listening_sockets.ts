import { parseProcNetTcp, type SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Clock } from "../../platform/clock.ts";
import { readProc } from "../../platform/read_proc.ts";

/** TCP sockets that listen in the network namespace of this process, each address and port once, sorted. */
export async function listeningSockets(read: typeof readProc = readProc): Promise<readonly SocketAddress[]> {
  const text = await read("/proc/self/net/tcp", "/proc/self/net/tcp6"); // the second is not there where IPv6 is switched off
  const found = new Map<string, SocketAddress>();
  for (const { local, listening } of parseProcNetTcp(text)) {
    if (listening) found.set(`${local.port} ${local.address}`, local);
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
    const sockets = await look().catch(() => undefined); // out of processes and the like: the next time
    const key = JSON.stringify(sockets);
    if (sockets && key !== known) {
      known = key;
      await onChange(sockets);
    }
    await clock.sleep(interval, signal).catch(() => {});
  }
}
