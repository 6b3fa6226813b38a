import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { type Held, type Participant, survey } from "../inbound/survey.ts";
import { columns } from "./columns.ts";
import { relayUser } from "../inbound/names.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import { duration } from "./duration.ts";
import type { StatusInvocation } from "./grammar/status.ts";

/** Somebody who renewed their Lease less long ago, by the clocks of two machines, is taken to live. */
const recent = 40_000;

/**
 * `hawser status --cluster`. JSON: `{ services: { namespace, service, state: "diverted"|"scaled"|"manual"|"preview"|"relay"|"none", selector?, workload?,
 * replicas?, since?, by?, participants: { owner, kind?, variant?, ports?, mark?, since, renewed, live }[] }[] }`. `live` compares the clocks of two machines, so that it is a hint;
 * `hawser clean --dry-run` takes the time to be sure.
 */
export async function clusterStatus({ options }: StatusInvocation, deps: CliDeps): Promise<number> {
  const { terminal, env, clock, log } = deps;
  const interrupts = deps.watchInterrupts();
  const access = await openAccess(accessOptions(options), { env, clock, log });
  const api = openApi(access, { clock, log });
  try {
    const held = await survey(api, options.allNamespaces ? undefined : access.namespace, interrupts.signal);
    const now = clock.wall();
    if (options.output === "json") terminal.printJson({ services: held.map((each) => toJson(each, now)) });
    else if (held.length === 0) terminal.print("Nobody exchanges, meshes or previews anything here.");
    else {
      terminal.print(held.flatMap((each) => describe(each, now, options.allNamespaces)).join("\n"));
      if (held.some((each) => isLeft(each, now))) {
        terminal.tell("What dead laptops have left is put back by: hawser clean");
      }
    }
    return 0;
  } finally {
    api.close();
    interrupts.close();
  }
}

function toJson({ namespace, service, state, undo, scaled, participants }: Held, now: number) {
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
      live: age(each.lease.spec?.renewTime, now) < recent,
    })),
  };
}

function describe(held: Held, now: number, all: boolean): string[] {
  const { namespace, service, participants } = held;
  const user = relayUser(service);
  const short = user === undefined ? service : `relay of ${user}`;
  const name = all ? `${namespace}/${short}` : short;
  if (participants.length === 0) {
    return [`${name}  ${unheld(held)}`];
  }
  return [name, ...columns(participants.map((each) => row(each, now)), "  ")];
}

function unheld({ state, scaled }: Held): string {
  if (scaled) return `held by nobody: ${scaled.workload} has no pods, of ${scaled.replicas}`;
  return state === "diverted" || state === "preview"
    ? "held by nobody: its traffic goes to its own pods"
    : state === "relay"
    ? "used by nobody"
    : "left-overs of an agent";
}

function row({ owner, holding, since, lease }: Participant, now: number): string[] {
  const renewed = age(lease.spec?.renewTime, now);
  const { kind = "?", ports = [], mark = "", variant } = holding ?? {};
  return [
    owner,
    variant ? `${kind} (${variant})` : kind,
    ports.join(","),
    `for ${duration(age(since, now))}`,
    renewed < recent ? "live" : `silent for ${duration(renewed)}, by the clocks`,
    mark,
  ];
}

function isLeft({ participants }: Held, now: number): boolean {
  return participants.every(({ lease }) => age(lease.spec?.renewTime, now) >= recent);
}

function age(time: string | undefined, now: number): number {
  const then = Date.parse(time ?? "");
  return Number.isNaN(then) ? Infinity : Math.max(0, now - then);
}
