import type { ExposedPort } from "../inbound/choose_ports.ts";
import { listens } from "../inbound/local_program.ts";
import type { Clock } from "../platform/clock.ts";
import type { InterruptWatch } from "../platform/interrupt.ts";
import { findProgram } from "../platform/program.ts";
import { withVariables } from "../wiring/variables.ts";
import { closeInbounds } from "./close_inbounds.ts";
import type { CliDeps } from "./deps.ts";
import { describeInbound, inboundReport } from "./inbound_report.ts";
import type { InboundCluster, InboundWish, RaisedInbound } from "./raise_inbound.ts";
import type { ProgramRunner } from "./program_runner.ts";
import { raiseInbounds } from "./raise_inbounds.ts";
import { tellEarlierConnections } from "./tell_earlier_connections.ts";

/** Milliseconds between two looks whether a program listens, and for how long we look: some frameworks take their time. */
const lookInterval = 250;
const lookPatience = 180_000;

/**
 * Runs a program that answers services of the cluster, in an environment that is wired: traffic first, then the program, and everything back when it ends. Resolves with its exit status. Rejects
 * where there is no such program, before anything is changed; where traffic cannot be brought in, with all of it undone; and where a service cannot be put back.
 */
export async function runInbound(
  [program = "", ...args]: readonly string[],
  wishes: readonly InboundWish[],
  wired: Readonly<Record<string, string>>,
  connection: InboundCluster,
  interrupts: InterruptWatch,
  deps: CliDeps & { readonly run: ProgramRunner },
): Promise<number> {
  const { terminal, clock, log, os, run } = deps;
  const env = withVariables(wired, markVariable(wishes), os);
  await findProgram(program, { env, os });
  const raised = await raiseInbounds(wishes, connection, deps, interrupts.signal);
  const running = new AbortController();
  let earlier: Promise<void> | undefined;
  let status = 1;
  let restored = false;
  const told = new Set<string>();
  try {
    for (const each of raised) {
      const { inbound } = each;
      terminal.tell(`${withoutTold(describeInbound(inboundReport(each, [])), told)}\n`);
      inbound.over.then((sentence) => running.signal.aborted || log.event(`${sentence}. "${program}" goes on`));
    }
    earlier = tellEarlierConnections(raised, connection, deps, running.signal);
    const ports = raised.flatMap(({ inbound }) => inbound.ports);
    for (const { program: { hosts, port } } of await listening(ports, clock, interrupts.signal)) {
      log.event(`Something listens on ${hosts[0]}:${port} already, before "${program}" does: it gets the requests`);
    }
    await terminal.flush();
    const looking = tellWhenReady(program, raised, deps, running.signal).catch(() => {});
    try {
      status = await run(program, args, { env, os, interrupts });
    } finally {
      running.abort(new Error("the program has ended"));
      await looking;
    }
  } finally {
    running.abort(new Error("the program was not started"));
    await earlier;
    restored = await closeInbounds(raised, interrupts, deps);
  }
  return restored ? status : status || 1;
}

/** A report without the sentences that stood in an earlier one; `told` is those. Tables and examples, which are indented, stay whole. */
function withoutTold(report: string, told: Set<string>): string {
  const lines = report.split("\n").filter((line) => !/^\S/.test(line) || !told.has(line));
  for (const line of lines) told.add(line);
  return lines.join("\n");
}

/** Tells when all ports are listened on, and when that takes too long. Rejects when the signal aborts. */
async function tellWhenReady(
  program: string,
  raised: readonly RaisedInbound[],
  { terminal, clock, log }: CliDeps,
  signal: AbortSignal,
): Promise<void> {
  const services = [...new Set(raised.map(({ request }) => `"${request.service}"`))].join(", ");
  let silent: readonly ExposedPort[] = raised.flatMap(({ inbound }) => inbound.ports);
  for (const started = clock.now();;) {
    const heard = await listening(silent, clock, signal);
    silent = silent.filter((port) => !heard.includes(port));
    if (silent.length === 0) return terminal.tell(`Ready: "${program}" answers for ${services}.`);
    if (clock.now() - started > lookPatience) break;
    await clock.sleep(lookInterval, signal);
  }
  const ports = silent.map(({ program: { hosts, port } }) => `${hosts[0]}:${port}`).join(", ");
  const then = raised[0]?.request.fallback === "error" ? "requests fail with 502" : "the original pods answer";
  log.event(`"${program}" does not listen on ${ports} after ${lookPatience / 1000} s: until it does, ${then}`);
}

async function listening(
  ports: readonly ExposedPort[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly ExposedPort[]> {
  const heard = await Promise.all(ports.map(({ program }) => listens(program, clock, signal)));
  return ports.filter((_, at) => heard[at]);
}

/** How the program knows the mark of its requests, to put it onto those it makes: `version:blue`. Only a header can be put so. */
function markVariable(wishes: readonly InboundWish[]): Record<string, string> {
  const mark = wishes.find(({ kind }) => kind === "mesh")?.match.find(({ kind, how }) =>
    kind === "header" && how === "equals"
  );
  return mark ? { HAWSER_MARK: `${mark.name}:${mark.value}` } : {};
}
