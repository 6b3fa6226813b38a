import { awaitRestart } from "../inbound/await_restart.ts";
import { type EarlierConnections, earlierConnections } from "../inbound/earlier_connections.ts";
import type { CliDeps } from "./deps.ts";
import type { InboundCluster, RaisedInbound } from "./raise_inbound.ts";

/** So many callers are named. */
const named = 5;

/**
 * Says which connections still go to the original pods, because their callers opened them before; in general where it cannot be known, and nothing where there are
 * none. For what was raised with `--cut` the report has said so, and it is told when they are gone. Never rejects.
 */
export async function tellEarlierConnections(
  raised: readonly RaisedInbound[],
  { access, api, directory }: InboundCluster,
  { terminal, clock }: Pick<CliDeps, "terminal" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  const cut = raised.map((each) => tellRestart(each, { api, clock, terminal }, signal).catch(() => {}));
  const diverted = raised.filter(({ inbound, restarted }) => inbound.plan.origin && restarted.length === 0);
  try {
    const found = await Promise.all(
      diverted.map(({ inbound }) => earlierConnections(inbound, { access, api, directory, clock }, signal)),
    );
    for (const [at, { request }] of diverted.entries()) {
      const connections = found[at];
      if (connections && connections.count > 0) terminal.tell(describe(request.service, connections));
    }
    if (found.includes(undefined)) {
      terminal.tell(
        "Connections opened before stay with the original pods until their callers close them (--cut ends them).",
      );
    }
  } catch {
    // It is over before it was known.
  }
  await Promise.all(cut);
}

async function tellRestart(
  { request, restarted }: RaisedInbound,
  { terminal, ...deps }: Pick<InboundCluster, "api"> & Pick<CliDeps, "terminal" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  if (restarted.length === 0) return;
  await Promise.all(restarted.map((workload) => awaitRestart(request.namespace, workload, deps, signal)));
  terminal.tell(`The pods of ${restarted.join(", ")} have restarted: all connections are new ones now.`);
}

function describe(service: string, { count, callers, partial }: EarlierConnections): string {
  const names = callers.slice(0, named).map(({ name, count }) => `${name} (${count})`).join(", ");
  const more = callers.length > named ? ` and ${callers.length - named} more` : "";
  const [connections, go, they] = count === 1 ? ["connection", "goes", "It moves when its caller reconnects"] : [
    "connections",
    "go",
    "They move when their callers reconnect",
  ];
  return `${
    partial ? "At least " : ""
  }${count} ${connections} opened before still ${go} to the original pods of "${service}": ${names}${more}. ${they}; --cut makes them.`;
}
