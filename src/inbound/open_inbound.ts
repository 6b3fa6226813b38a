import type { V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import { AgentLinks, type LocalRule } from "./agent_links.ts";
import { awaitAgent } from "./await_agent.ts";
import { choosePorts } from "./choose_ports.ts";
import { divertService } from "./divert_service.ts";
import type { Inbound, InboundDeps, InboundRequest } from "./inbound.ts";
import { LeaseSightings } from "./lease_sightings.ts";
import { leaveService, type Leaving } from "./leave_service.ts";
import { describeMark } from "./mark.ts";
import { labels, manager } from "./names.ts";
import { takePart } from "./participation.ts";
import { paths } from "./paths.ts";
import { type Plan, planAgent, planPreview } from "./plan.ts";
import { raiseAgent } from "./raise_agent.ts";
import { readService } from "./read_service.ts";
import { RunningInbound } from "./running_inbound.ts";
import { withServiceLock } from "./service_lock.ts";

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
  const onWait = (holder: string) => deps.onProgress?.(`${holder} is at service "${service}" just now; waiting…`);
  const lock = { namespace, service, holder: owner.name, onWait };
  try {
    return await withServiceLock(lock, deps, signal, (locked) => begin(request, deps, locked));
  } finally {
    deps.onProgress?.("");
  }
}

async function begin(request: InboundRequest, deps: InboundDeps, signal: AbortSignal): Promise<Inbound> {
  const { kind, namespace, service, owner, match } = request;
  const { api, clock, onProgress } = deps;
  const plan = kind === "preview"
    ? await newService(request, api, signal)
    : planAgent(await readService(namespace, service, api, signal));
  const ports = choosePorts(service, plan.ports, request.exposes);
  const secret = ports.find(({ port }) => port.tls);
  if (kind === "mesh" && secret) throw unreadable(service, secret.port.port);
  const rules = ports.map(({ port, program }): LocalRule => ({
    id: `${owner.id}-${port.agentPort}`,
    port: port.agentPort,
    match,
    fallback: request.fallback,
    program,
  }));
  const holding = { kind, ports: ports.map(({ port }) => port.port), mark: describeMark(match) };
  let leaving: Leaving = {
    namespace,
    service,
    owner: owner.id,
    links: undefined,
    participation: undefined,
    sightings: new LeaseSightings(clock),
  };
  try {
    const participation = await takePart({ namespace, service, owner, holding }, deps, signal);
    leaving = { ...leaving, participation };
    onProgress?.("Making the agent…");
    const raised = await raiseAgent(plan, request.image, deps, signal);
    for (const { port } of rules) {
      if (!raised.config.ports.some((each) => each.port === port)) throw tooOld(service, port);
    }
    const running = new RunningInbound({ request, plan, ports, token: raised.token }, deps);
    const links = new AgentLinks({
      namespace,
      service,
      linkPort: raised.config.linkPort,
      token: () => running.token,
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
    await awaitAgent({ namespace, service, onProgress: onState }, deps, signal);
    onProgress?.("Linking…");
    const late = () =>
      new Failure(
        `No link to the agent of service "${service}" within ${linkPatience / 1000} s; --log-level debug says why`,
      );
    await withDeadline(clock, linkPatience, signal, late, (limit) => Promise.race([links.standing, aborted(limit)]));
    await divertService(plan, owner.name, deps, signal);
    await running.begin(leaving, signal);
    return running;
  } catch (error) {
    onProgress?.("Undoing what was done…");
    await undo(leaving, deps);
    throw error;
  }
}

async function undo(leaving: Leaving, deps: InboundDeps): Promise<void> {
  const never = new AbortController().signal;
  const late = () => new Error(`it took more than ${undoPatience / 1000} s`);
  try {
    await withDeadline(deps.clock, undoPatience, never, late, (limit) => leaveService(leaving, deps, limit));
  } catch (error) {
    await leaving.links?.close();
    leaving.participation?.abandon();
    const why = error instanceof Error ? error.message : error;
    deps.log.event(`Not everything could be undone (${why}); this finishes it: hawser recover ${leaving.service}`);
  }
}

/** A preview's Service must not exist, unless it is a preview's that was left. */
async function newService(
  { namespace, service, exposes }: InboundRequest,
  api: Api,
  signal: AbortSignal,
): Promise<Plan> {
  try {
    const { metadata } = await api.get<V1Service>(`${paths.services(namespace)}/${service}`, {}, signal);
    if (metadata?.labels?.[labels.managedBy] !== manager || metadata.labels[labels.service] !== service) {
      throw new Failure(
        `Service "${service}" exists already in namespace "${namespace}": hawser exchange ${service} brings its traffic here, a preview needs a new name`,
      );
    }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  const ports = exposes.map(({ local, port }) => {
    if (typeof port === "string") {
      throw new Failure(`A new service has no named ports yet: write --expose ${local}:NUMBER, not "${port}"`);
    }
    return port ?? local;
  });
  return planPreview(namespace, service, ports);
}

function unreadable(service: string, port: number): Failure {
  return new Failure(
    `Port ${port} of service "${service}" carries TLS, in which nobody but its pods can read a mark: hawser exchange brings all of it here`,
  );
}

function tooOld(service: string, port: number): Failure {
  return new Failure(
    `The agent that stands for service "${service}" does not take port ${port}: it is older than that port. Once nobody needs it any more: hawser recover ${service}`,
  );
}
