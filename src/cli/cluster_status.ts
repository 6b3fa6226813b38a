import { namespaceExists } from "../cluster/namespace_exists.ts";
import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { checkRights } from "../inbound/check_rights.ts";
import { processAnnotation } from "../inbound/lease.ts";
import { leaseQuiet } from "../inbound/lease_quiet.ts";
import { type Held, type Participant, survey } from "../inbound/survey.ts";
import { Failure } from "../platform/failure.ts";
import { LocalProcess } from "../platform/local_process.ts";
import { columns } from "./columns.ts";
import { relayUser } from "../inbound/names.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import { duration } from "./duration.ts";
import type { StatusInvocation } from "./grammar/status.ts";
import { signOfLife } from "./sign_of_life.ts";

/**
 * `hawser status --cluster`. JSON: `{ services: { namespace, service, state: "diverted"|"scaled"|"manual"|"preview"|"relay"|"none", selector?, workload?,
 * replicas?, since?, by?, participants: { owner, kind?, variant?, ports?, mark?, since, renewed, quiet?, live }[] }[] }`. `quiet` is in seconds, since they last gave a sign of life, by the API server's clock;
 * where that does not tell, by those of two machines. `live` says that it is less than 15 s: whoever died a moment ago is so still, and `hawser clean --dry-run` takes the time to be sure.
 */
export async function clusterStatus({ options }: StatusInvocation, deps: CliDeps): Promise<number> {
  const { terminal, env, os, paths, clock, log } = deps;
  const interrupts = deps.watchInterrupts();
  const access = await openAccess(accessOptions(options), { env, clock, log });
  const api = openApi(access, { clock, log });
  try {
    const namespace = options.allNamespaces ? undefined : access.namespace;
    await checkRights("status --cluster", namespace, api, interrupts.signal);
    const held = await survey(api, namespace, interrupts.signal);
    if (held.length === 0 && namespace !== undefined) {
      const there = await namespaceExists(api, namespace, interrupts.signal);
      if (there === false) throw new Failure(`There is no namespace "${namespace}" in context "${access.context}"`);
    }
    const process = await LocalProcess.open({ os, state: () => paths().state });
    const view: View = { now: clock.wall(), process };
    if (options.output === "json") terminal.printJson({ services: held.map((each) => toJson(each, view)) });
    else if (held.length === 0) {
      const where = namespace === undefined ? "any namespace" : `namespace "${namespace}"`;
      terminal.print(`Nobody exchanges, meshes or previews anything in ${where} of context "${access.context}".`);
    } else {
      terminal.print(held.flatMap((each) => describe(each, view, options.allNamespaces)).join("\n"));
      if (held.some((each) => isLeft(each, view))) {
        terminal.tell("What dead laptops have left is put back by: hawser clean");
      }
    }
    return 0;
  } finally {
    api.close();
    interrupts.close();
  }
}

/** From where it is seen. */
interface View {
  /** This machine's calendar. */
  readonly now: number;
  readonly process: LocalProcess | undefined;
}

function toJson({ namespace, service, state, undo, scaled, participants }: Held, view: View) {
  return {
    namespace,
    service,
    state,
    ...undo,
    ...scaled,
    participants: participants.map((each) => ({
      owner: each.owner,
      ...each.holding,
      since: each.since,
      renewed: each.lease.spec?.renewTime,
      ...Number.isFinite(quietOf(each, view)) && { quiet: Math.round(quietOf(each, view) / 1000) },
      live: signOfLife(quietOf(each, view)).live,
    })),
  };
}

function describe(held: Held, view: View, all: boolean): string[] {
  const { namespace, service, participants } = held;
  const user = relayUser(service);
  const short = user === undefined ? service : `relay of ${user}`;
  const name = all ? `${namespace}/${short}` : short;
  if (participants.length === 0) {
    return [`${name}  ${unheld(held)}`];
  }
  return [name, ...columns(participants.map((each) => row(each, view)), "  ")];
}

function unheld({ state, scaled }: Held): string {
  if (scaled) return `held by nobody: ${scaled.workload} has no pods, of ${scaled.replicas}`;
  return state === "diverted" || state === "preview"
    ? "held by nobody: its traffic goes to its own pods"
    : state === "relay"
    ? "used by nobody"
    : "left-overs of an agent";
}

function row(participant: Participant, view: View): string[] {
  const { owner, holding, since } = participant;
  const { kind = "?", ports = [], mark = "", variant } = holding ?? {};
  return [
    owner,
    variant ? `${kind} (${variant})` : kind,
    ports.join(","),
    `for ${duration(age(since, view.now))}`,
    signOfLife(quietOf(participant, view)).text,
    mark,
  ];
}

function isLeft({ participants }: Held, view: View): boolean {
  return participants.every((each) => signOfLife(quietOf(each, view)).gone);
}

/** Milliseconds since somebody's last sign of life; Infinity for a process of this machine that is no more. */
function quietOf({ lease, date }: Participant, { now, process }: View): number {
  if (process?.isGone(lease.metadata.annotations?.[processAnnotation])) return Infinity;
  return leaseQuiet(lease, date) ?? age(lease.spec?.renewTime, now);
}

function age(time: string | undefined, now: number): number {
  const then = Date.parse(time ?? "");
  return Number.isNaN(then) ? Infinity : Math.max(0, now - then);
}
