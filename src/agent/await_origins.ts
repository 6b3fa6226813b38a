import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { AgentPort } from "./protocol.ts";

/** Milliseconds for one try, between two, and for all of them. */
const patience = 1_000;
const pause = 100;
const limit = 8_000;
/**
 * The ports that tries come from: below those that a system gives to connections by itself. A node goes on for two minutes to send nowhere what comes from
 * the port of a try that was lost, and no request must get that one.
 */
const ports = { first: 20_000, count: 10_000 };

/**
 * Resolves once this node leads to each of the origins, be it to a refusal; at the latest after 9 s, or when the signal aborts. A node learns of a new Service
 * a moment after it was made, and a connection tried before that never comes about, however long it is waited for, as the node has noted that it leads nowhere.
 */
export async function awaitOrigins(
  origins: readonly NonNullable<AgentPort["origin"]>[],
  signal: AbortSignal,
  { clock, log, connect = connectTcp }: {
    readonly clock: Clock;
    readonly log: Log;
    readonly connect?: (...args: Parameters<typeof connectTcp>) => Promise<Pick<Duplex, "close">>;
  },
): Promise<void> {
  const leads = async (host: string, port: number) => {
    const late = new AbortController();
    const cancel = clock.after(patience, () => late.abort());
    try {
      const localPort = ports.first + Math.floor(Math.random() * ports.count);
      (await connect(host, port, AbortSignal.any([signal, late.signal]), { localPort })).close();
      return true;
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
    } finally {
      cancel();
    }
  };
  const until = clock.now() + limit;
  await Promise.all(origins.map(async ({ host, port }) => {
    while (!await leads(host, port)) {
      if (signal.aborted) return;
      if (clock.now() >= until) return log.warn(`No way to the original pods at ${host}:${port} yet`);
      await clock.sleep(pause, signal).catch(() => {});
    }
  }));
}
