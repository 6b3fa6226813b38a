import type { CliDeps } from "./deps.ts";
import { type InboundCluster, type InboundWish, type RaisedInbound, raiseInbound } from "./raise_inbound.ts";

/**
 * Brings traffic of several services in, all at once: each has objects and a lock of its own. Where one fails or `signal` aborts, all are undone; rejects then
 * with what failed first.
 */
export async function raiseInbounds(
  wishes: readonly InboundWish[],
  cluster: InboundCluster,
  deps: Pick<CliDeps, "env" | "os" | "paths" | "terminal" | "clock" | "log">,
  signal: AbortSignal,
): Promise<readonly RaisedInbound[]> {
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const results = await Promise.allSettled(wishes.map(async (wish) => {
    try {
      return await raiseInbound(wish, cluster, deps, either);
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  }));
  const raised = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  if (raised.length === wishes.length) return raised;
  deps.terminal.progress("Undoing what was done…");
  const closed = await Promise.allSettled(raised.map(({ inbound }) => inbound.close()));
  deps.terminal.progress("");
  for (const result of closed) if (result.status === "rejected") deps.log.event(result.reason.message);
  throw either.reason;
}
