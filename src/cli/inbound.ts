import type { Match } from "../agent/protocol.ts";
import { parseWorkload, type WorkloadName } from "../cluster/workload.ts";
import { agentSource } from "../inbound/agent_source.ts";
import { checkRights } from "../inbound/check_rights.ts";
import type { ExposedPort } from "../inbound/choose_ports.ts";
import { type Expose, parseExpose } from "../inbound/expose.ts";
import { findService } from "../inbound/find_service.ts";
import type { Farewell, Inbound, InboundRequest } from "../inbound/inbound.ts";
import { listens } from "../inbound/local_program.ts";
import { openInbound } from "../inbound/open_inbound.ts";
import { restartWorkloads } from "../inbound/restart_workloads.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import type { Options } from "./command.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { globalFlags } from "./global_flags.ts";
import type { inboundFlags } from "./grammar/inbound_flags.ts";
import { describeInbound, inboundReport } from "./inbound_report.ts";
import { localOwner } from "./local_owner.ts";
import { type Cluster, openCluster } from "./open_cluster.ts";
import { UsageError } from "./usage_error.ts";

/** What `exchange`, `mesh` and `preview` differ in. */
export interface InboundCommand {
  readonly kind: InboundRequest["kind"];
  /** The one word of the command line. */
  readonly word: string;
  readonly match: readonly Match[];
  readonly fallback: InboundRequest["fallback"];
  readonly insist: boolean;
  /** Whether callers are made to open new connections. */
  readonly cut: boolean;
}

type InboundOptions = Options<typeof inboundFlags & typeof globalFlags>;

const counterInterval = 500;

/** Brings traffic in until it is interrupted, or ended by somebody else. JSON: an `InboundReport` in one line, once it stands. */
export async function inbound(command: InboundCommand, options: InboundOptions, deps: CliDeps): Promise<number> {
  const { terminal, clock, log } = deps;
  const { kind } = command;
  const target = kind === "preview" ? undefined : understood(kind, () => parseWorkload(command.word));
  const exposes = options.expose.map((text) => understood(kind, () => parseExpose(text)));
  if (exposes.length === 0) {
    throw new UsageError(`Say which port here answers: hawser ${kind} ${command.word} --expose 8080`, kind);
  }
  const interrupts = deps.watchInterrupts();
  try {
    terminal.progress("Connecting…");
    const wanted = { access: accessOptions(options), namespaces: [], zone: undefined };
    await using cluster = await openCluster(wanted, deps, interrupts.signal);
    const request = await toRequest(command, target, exposes, options, cluster, deps, interrupts.signal);
    const inboundDeps = {
      api: cluster.api,
      dialer: cluster.dialer,
      clock,
      log,
      agentProgram: await agentSource(),
      onProgress: (state: string) => terminal.progress(state),
    };
    const standing = await openInbound(request, inboundDeps, interrupts.signal);
    let over: string | undefined;
    try {
      const { origin, namespace } = standing.plan;
      const restarted = command.cut && origin
        ? await restartWorkloads(namespace, origin.selector, inboundDeps, interrupts.signal)
        : [];
      await show(request, standing, restarted, options.output, deps, interrupts.signal);
      over = await Promise.race([standing.over, counted(standing, deps, interrupts.signal)]);
    } finally {
      terminal.progress("");
      if (over === undefined) {
        const doing = kind === "preview" ? "Taking away" : "Putting back";
        terminal.tell(
          `${doing} "${request.service}"… (Ctrl-C again leaves at once; this finishes it then: hawser recover ${request.service})`,
        );
      }
      const farewell = await standing.close();
      if (over === undefined) terminal.tell(said(farewell, request));
    }
    throw new Failure(over);
  } finally {
    interrupts.close();
  }
}

async function toRequest(
  { kind, word, match, fallback, insist }: InboundCommand,
  target: WorkloadName | undefined,
  exposes: readonly Expose[],
  options: InboundOptions,
  { api, access: { namespace } }: Cluster,
  { env }: CliDeps,
  signal: AbortSignal,
): Promise<InboundRequest> {
  const [service] = await Promise.all([
    target ? findService(target, namespace, api, signal) : newName(word),
    checkRights(kind, namespace, api, signal),
  ]);
  const image = { image: options.agentImage, pullSecrets: options.imagePullSecret };
  return { kind, namespace, service, exposes, match, fallback, insist, image, owner: localOwner(env) };
}

function newName(word: string): string {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(word)) return word;
  throw new UsageError(
    `"${word}" is no name for a service: lower-case letters, digits and "-", a letter first, at most 63`,
    "preview",
  );
}

async function show(
  request: InboundRequest,
  standing: Inbound,
  restarted: readonly string[],
  output: "text" | "json",
  { terminal, clock }: CliDeps,
  signal: AbortSignal,
): Promise<void> {
  const silent: ExposedPort[] = [];
  for (const port of standing.ports) if (!await listens(port.program, clock, signal)) silent.push(port);
  const report = inboundReport(request, standing, silent, restarted);
  if (output === "json") return terminal.print(JSON.stringify(report));
  terminal.print(describeInbound(report));
  terminal.tell("Ctrl-C puts everything back.");
}

/** Shows how many requests have come, until the signal aborts; then rejects with its reason. */
async function counted(standing: Inbound, { terminal, clock }: CliDeps, signal: AbortSignal): Promise<never> {
  for (let shown = 0; !signal.aborted;) {
    if (standing.served !== shown) {
      shown = standing.served;
      terminal.progress(`${shown} ${shown === 1 ? "request" : "requests"} answered here`);
    }
    await clock.sleep(counterInterval, signal);
  }
  return await aborted(signal);
}

function said({ restored, others }: Farewell, { kind, service }: InboundRequest): string {
  if (!restored) {
    return `Your part of "${service}" is over; ${others.join(", ")} ${others.length > 1 ? "go" : "goes"} on.`;
  }
  return kind === "preview"
    ? `Service "${service}" is gone, and nothing is left.`
    : `Service "${service}" is what it was, and nothing is left.`;
}

function understood<T>(command: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, command) : error;
  }
}
