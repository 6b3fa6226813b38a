import { parseWorkload } from "../cluster/workload.ts";
import type { ExposedPort } from "../inbound/choose_ports.ts";
import { parseExpose } from "../inbound/expose.ts";
import type { Inbound } from "../inbound/inbound.ts";
import { listens } from "../inbound/local_program.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import { closeInbounds } from "./close_inbounds.ts";
import type { Options } from "./command.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { globalFlags } from "./global_flags.ts";
import type { inboundFlags } from "./grammar/inbound_flags.ts";
import { describeInbound, inboundReport } from "./inbound_report.ts";
import { openCluster } from "./open_cluster.ts";
import { type InboundWish, type RaisedInbound, raiseInbound } from "./raise_inbound.ts";
import { tellEarlierConnections } from "./tell_earlier_connections.ts";
import { tellsInfo } from "./tells_info.ts";
import { understood } from "./understood.ts";
import { UsageError } from "./usage_error.ts";

/** What `exchange`, `mesh` and `preview` differ in. */
export interface InboundCommand
  extends Pick<InboundWish, "kind" | "match" | "fallback" | "insist" | "cut" | "variant"> {
  /** The one word of the command line. */
  readonly word: string;
}

type InboundOptions = Options<typeof inboundFlags & typeof globalFlags>;

const counterInterval = 500;

/** Brings traffic in until it is interrupted, or ended by somebody else. JSON: an `InboundReport` in one line, once it stands. */
export async function inbound(command: InboundCommand, options: InboundOptions, deps: CliDeps): Promise<number> {
  const { terminal } = deps;
  const wish = toWish(command, options);
  const interrupts = deps.watchInterrupts();
  try {
    terminal.progress("Connecting…");
    const wanted = { access: accessOptions(options), namespaces: [], zone: undefined };
    await using cluster = await openCluster(wanted, deps, interrupts.signal);
    const raised = await raiseInbound(wish, cluster, deps, interrupts.signal);
    const { inbound: standing } = raised;
    const ending = new AbortController();
    const signal = AbortSignal.any([interrupts.signal, ending.signal]);
    let earlier: Promise<void> | undefined;
    let over: string | undefined;
    try {
      await show(raised, options.output, deps, interrupts.signal);
      earlier = tellEarlierConnections([raised], cluster, deps, signal);
      over = await Promise.race([standing.over, counted(standing, deps, interrupts.signal)]);
    } finally {
      ending.abort();
      await earlier;
      terminal.progress("");
      if (over === undefined) await closeInbounds([raised], interrupts, deps);
      else await standing.close();
    }
    throw new Failure(over);
  } finally {
    interrupts.close();
  }
}

function toWish({ word, ...command }: InboundCommand, options: InboundOptions): InboundWish {
  const { kind } = command;
  const target = kind === "preview" ? newService(word) : understood(kind, () => parseWorkload(word));
  const exposes = options.expose.map((text) => understood(kind, () => parseExpose(text)));
  if (exposes.length === 0) {
    throw new UsageError(`Say which port here answers: hawser ${kind} ${word} --expose 8080`, kind);
  }
  const image = { image: options.agentImage, pullSecrets: options.imagePullSecret };
  return { ...command, target, exposes, image, observe: tellsInfo(options.logLevel) };
}

function newService(name: string): InboundWish["target"] {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return { kind: "service", name };
  throw new UsageError(
    `"${name}" is no name for a service: lower-case letters, digits and "-", a letter first, at most 63`,
    "preview",
  );
}

async function show(
  raised: RaisedInbound,
  output: "text" | "json",
  { terminal, clock }: CliDeps,
  signal: AbortSignal,
): Promise<void> {
  const silent: ExposedPort[] = [];
  for (const port of raised.inbound.ports) if (!await listens(port.program, clock, signal)) silent.push(port);
  const report = inboundReport(raised, silent);
  if (output === "json") return terminal.print(JSON.stringify(report));
  terminal.print(describeInbound(report));
  terminal.tell("Ctrl-C puts everything back.");
}

/** Shows how many requests have come, until the signal aborts; then rejects with its reason. */
async function counted(standing: Inbound, { terminal, clock }: CliDeps, signal: AbortSignal): Promise<never> {
  for (let shown = 0; !signal.aborted;) {
    if (standing.served !== shown) {
      shown = standing.served;
      terminal.counter(`${shown} ${shown === 1 ? "request" : "requests"} answered here`);
    }
    await clock.sleep(counterInterval, signal);
  }
  return await aborted(signal);
}
