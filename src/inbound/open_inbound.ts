import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import { AgentLinks, type LocalRule } from "./agent_links.ts";
import { awaitAgent } from "./await_agent.ts";
import { choosePorts } from "./choose_ports.ts";
import { clearWay } from "./clear_way.ts";
import { divertService } from "./divert_service.ts";
import { finishingWrites } from "./finishing_writes.ts";
import type { Inbound, InboundDeps, InboundRequest } from "./inbound.ts";
import { LeaseSightings } from "./lease_sightings.ts";
import { leaveService, type Leaving } from "./leave_service.ts";
import { makePlan } from "./make_plan.ts";
import { describeMark } from "./mark.ts";
import { mustExposeAll } from "./must_expose_all.ts";
import { takePart } from "./participation.ts";
import { raiseAgent } from "./raise_agent.ts";
import { RunningInbound } from "./running_inbound.ts";
import { scaleAway } from "./scale_away.ts";
import { readyPatience } from "./scale_back.ts";
import { withServiceLock } from "./service_lock.ts";
import type { VersionLabel } from "./variant.ts";

/** Milliseconds for a link, once the agent is ready. */
const linkPatience = 20_000;
/** Milliseconds for undoing a beginning. */
const undoPatience = 60_000;

/**
 * Brings traffic of a Service to programs of this machine: agent, link and rules first, the Service's selector last, so that no request meets a moment
 * without an answer. Where a step fails or `signal` aborts, what was done is undone. Rejects with errors whose messages are for people.
 */
export async function openInbound(request: InboundRequest, deps: InboundDeps, signal: AbortSignal): Promise<Inbound> {
  const { namespace, service, owner } = request;
  const safe = { ...deps, api: finishingWrites(deps.api, deps.clock) };
  const onWait = (holder: string) => deps.onProgress?.(`${holder} is at service "${service}" just now; waiting…`);
  const lock = { namespace, service, holder: owner.name, onWait };
  try {
    return await withServiceLock(lock, safe, signal, (locked) => begin(request, safe, locked));
  } finally {
    deps.onProgress?.("");
  }
}

async function begin(request: InboundRequest, deps: InboundDeps, signal: AbortSignal): Promise<Inbound> {
  const { kind, namespace, service, owner, match } = request;
  const { api, clock, onProgress } = deps;
  const variant = request.variant?.kind;
  await clearWay({ namespace, service, variant }, deps, signal);
  const plan = await makePlan(request, api, signal);
  const ports = choosePorts(request.among ?? service, plan.ports, request.exposes);
  if (plan.labels) mustExposeAll(request.among ?? service, plan, ports.map(({ port }) => port));
  const secret = ports.find(({ port }) => port.tls);
  if (kind === "mesh" && !plan.labels && secret) throw unreadable(service, secret.port.port);
  const rules = ports.map(({ port, program }): LocalRule => ({
    id: `${owner.id}-${port.agentPort}`,
    port: port.agentPort,
    match,
    fallback: plan.labels ? "error" : request.fallback, // nobody else could answer
    program,
  }));
  const mark = request.variant?.kind === "manual" ? labelText(request.variant.label) : describeMark(match);
  const holding = { kind, ports: ports.map(({ port }) => port.port), mark, variant };
  let leaving: Leaving = {
    namespace,
    service,
    owner: owner.id,
    links: undefined,
    participation: undefined,
    sightings: new LeaseSightings(clock, deps.process),
    alone: plan.labels !== undefined,
  };
  try {
    const participation = await takePart({ namespace, service, owner, holding }, deps, signal);
    leaving = { ...leaving, participation };
    onProgress?.("Making the agent…");
    const raised = await raiseAgent(plan, request.image, deps, signal);
    for (const { port } of rules) {
      if (!raised.config.ports.some((each) => each.port === port)) throw tooOld(namespace, service, port);
    }
    const running = new RunningInbound({ request, plan, ports, token: raised.token }, deps);
    const links = new AgentLinks({
      namespace,
      service,
      linkPort: raised.config.linkPort,
      token: () => running.currentToken(),
      owner,
      rules,
      onServed: (_rule, count) => running.count(count),
      onSeen: deps.onSeen && ((seen, missed) => {
        for (const each of seen) {
          const at = rules.findIndex(({ id }) => id === each.rule);
          deps.onSeen?.(each, ports[at]?.port.port ?? 0);
        }
        if (missed > 0) deps.onMissed?.(missed);
      }),
      onLeaving: () => running.podLeaves(),
    }, deps);
    leaving = { ...leaving, links };
    const onState = (state: string) => onProgress?.(`Waiting for the agent: ${state}`);
    const ready = awaitAgent({ namespace, service, onProgress: onState }, deps, signal);
    // One that waits for our rules is ready after them; why they are refused is to be heard all the same.
    await (plan.ready ? Promise.all([ready, links.standing]) : ready);
    onProgress?.("Linking…");
    const late = () =>
      new Failure(
        `No link to the agent of service "${service}" within ${linkPatience / 1000} s; --log-level debug says why`,
      );
    await withDeadline(clock, linkPatience, signal, late, (limit) => Promise.race([links.standing, aborted(limit)]));
    await divertService(plan, owner.name, deps, signal);
    const { workload } = plan;
    if (workload) await scaleAway({ namespace, service, workload, by: owner.name, onProgress }, deps, signal);
    await running.begin(leaving, signal);
    return running;
  } catch (error) {
    onProgress?.("Undoing what was done…");
    await undo(leaving, deps, signal.aborted);
    throw error;
  }
}

/** Whoever has `interrupted` it and sees no error is told how it ended. */
async function undo(leaving: Leaving, deps: InboundDeps, interrupted: boolean): Promise<void> {
  const { namespace, service } = leaving;
  const never = new AbortController().signal;
  const patience = undoPatience + (leaving.alone ? readyPatience.all : 0);
  const late = () => new Error(`it took more than ${patience / 1000} s`);
  try {
    const { restored, others } = await withDeadline(
      deps.clock,
      patience,
      never,
      late,
      (limit) => leaveService(leaving, deps, limit),
    );
    if (interrupted) {
      deps.log.event(
        `"${service}" is undone; ${restored ? "nothing is left" : `in use by ${others.join(", ")} still`}`,
      );
    }
  } catch (error) {
    await leaving.links?.close();
    leaving.participation?.abandon();
    const why = error instanceof Error ? error.message : error;
    deps.log.event(
      `Not everything could be undone (${why}); this finishes it: hawser recover ${service} -n ${namespace}`,
    );
  }
}

function labelText({ key, value }: VersionLabel): string {
  return `label ${key} is "${value}"`;
}

function unreadable(service: string, port: number): Failure {
  return new Failure(
    `Port ${port} of service "${service}" carries TLS, in which nobody but its pods can read a mark: hawser exchange brings all of it here`,
  );
}

function tooOld(namespace: string, service: string, port: number): Failure {
  return new Failure(
    `The agent that stands for service "${service}" does not take port ${port}: it is older than that port. Once nobody needs it any more: hawser recover ${service} -n ${namespace}`,
  );
}
