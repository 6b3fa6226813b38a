import type { V1Secret } from "@kubernetes/client-node";
import { ApiError } from "../cluster/api.ts";
import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import { tokenOf } from "./agent_manifests.ts";
import { awaitAgent } from "./await_agent.ts";
import type { ExposedPort } from "./choose_ports.ts";
import { divertService } from "./divert_service.ts";
import { finishForOthers } from "./finish_for_others.ts";
import type { Farewell, Inbound, InboundDeps, InboundRequest } from "./inbound.ts";
import type { Lease } from "./lease.ts";
import { leaveService, type Leaving } from "./leave_service.ts";
import { labels, objectNames, participantName } from "./names.ts";
import { paths } from "./paths.ts";
import { type Plan, planAgent } from "./plan.ts";
import { raiseAgent } from "./raise_agent.ts";
import { readService } from "./read_service.ts";
import { restoreSelector } from "./restore_selector.ts";
import { describeScalable } from "./scalable.ts";
import { scaleAway } from "./scale_away.ts";
import { readyPatience } from "./scale_back.ts";
import type { ScaledObject } from "./scale_note.ts";
import { withServiceLock } from "./service_lock.ts";
import { type ServiceChange, watchService } from "./service_watch.ts";
import { restoringPatch } from "./undo.ts";
import { unlessGone } from "./unless_gone.ts";

/** What a {@linkcode RunningInbound} is made of. */
export interface RunningParts {
  readonly request: InboundRequest;
  readonly plan: Plan;
  readonly ports: readonly ExposedPort[];
  /** What links must show. */
  readonly token: string;
}

/** Milliseconds between two looks at the agent and at who takes part. */
const lookInterval = 5_000;
/** Milliseconds for which the selector of the Service may be another before that is told: so long a colleague takes to make the agent anew. */
const remakePatience = 3_000;
/** Milliseconds for putting everything back. */
const closePatience = 60_000;

/** Traffic that comes here, from the moment it does: sees to what others do to the Service, to the agent's life, and to a good end. */
export class RunningInbound implements Inbound {
  readonly plan: Plan;
  readonly ports: readonly ExposedPort[];
  readonly over: Promise<string>;
  others: readonly string[] = [];
  served = 0;
  /** What links must show now. */
  token: string;
  readonly #request: InboundRequest;
  readonly #deps: InboundDeps;
  readonly #closing = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  #end!: (reason: string) => void;
  #leaving: Leaving | undefined;
  #closed: Promise<Farewell> | undefined;
  /** The agent is being made anew: what changes about the Service meanwhile is our own doing. */
  #remaking = false;
  #toldOfChange = false;
  #theirs: Farewell["theirs"];
  /** Somebody has put the Service back on purpose. */
  #removed = false;
  #toldReplicas = 0;
  #wake = () => {};
  #stopTelling = () => {};

  constructor({ request, plan, ports, token }: RunningParts, deps: InboundDeps) {
    this.#request = request;
    this.#deps = deps;
    this.plan = plan;
    this.ports = ports;
    this.token = token;
    this.over = new Promise((resolve) => this.#end = resolve);
  }

  /** Takes note of requests that were answered here. */
  count(requests: number): void {
    this.served += requests;
  }

  /** What a new link must show: a colleague may have made the agent anew, with another. */
  async currentToken(): Promise<string> {
    if (!this.#leaving) return this.token; // just read
    const { namespace, service } = this.#request;
    const path = `${paths.secrets(namespace)}/${objectNames(service).agent}`;
    try {
      const secret = await unlessGone(this.#deps.api.get<V1Secret>(path, {}, this.#closing.signal));
      this.token = (secret && tokenOf(secret)) ?? this.token;
    } catch {
      // The link will say what is wrong.
    }
    return this.token;
  }

  /** An agent pod goes: to be replaced, or because somebody has deleted all of it. */
  podLeaves(): void {
    this.#wake();
  }

  /** Begins to watch over what stands. */
  async begin(leaving: Leaving, signal: AbortSignal): Promise<void> {
    this.#leaving = leaving;
    const { service, namespace, owner } = this.#request;
    const owners = await leaving.links?.owners(signal);
    this.others = owners?.filter(({ id, rules }) => id !== owner.id && rules.length > 0).map(({ owner }) => owner) ??
      [];
    if (this.plan.origin) {
      const onChange = (change: ServiceChange) => this.#run(() => this.#changed(change));
      this.#run(() => watchService({ namespace, service, onChange }, this.#deps, this.#closing.signal));
    }
    this.#run(() => this.#lookAround());
    const where = { namespace, own: service, holder: owner.name };
    this.#run(() => finishForOthers(where, this.#deps, this.#closing.signal));
    leaving.participation?.removed.then(() => this.#wasRemoved());
  }

  close(hurry?: AbortSignal): Promise<Farewell> {
    return this.#closed ??= this.#close(hurry);
  }

  async #close(hurry: AbortSignal | undefined): Promise<Farewell> {
    const { namespace, service, owner } = this.#request;
    this.#closing.abort(new Error("closed"));
    this.#leaving?.links?.expectEnd();
    this.#stopTelling();
    await Promise.all(this.#tasks);
    const leaving = this.#leaving;
    if (!leaving) return { restored: false, others: [] };
    const never = new AbortController().signal;
    const patience = closePatience + (this.plan.workload ? readyPatience.all : 0);
    const late = () => new Error(`it took more than ${patience / 1000} s`);
    try {
      const farewell = await withDeadline(this.#deps.clock, patience, never, late, (limit) =>
        withServiceLock(
          { namespace, service, holder: owner.name },
          this.#deps,
          limit,
          (locked) => leaveService({ ...leaving, hurry }, this.#deps, locked),
        ));
      return this.#theirs && !this.#removed ? { ...farewell, theirs: this.#theirs } : farewell;
    } catch (error) {
      await leaving.links?.close();
      leaving.participation?.abandon();
      throw new Failure(
        `Service "${service}" in namespace "${namespace}" could not be put back (${
          error instanceof Error ? error.message : error
        }). ${
          this.plan.origin ? "Its traffic goes to its own pods all the same; this" : "This"
        } finishes it: hawser recover ${service} -n ${namespace}`,
        { cause: error },
      );
    }
  }

  /** Whoever puts a Service back holds its lock meanwhile. */
  async #wasRemoved(): Promise<void> {
    const { namespace, service } = this.#request;
    this.#removed = true;
    const path = `${paths.leases(namespace)}/${objectNames(service).lock}`;
    const lock = await unlessGone(this.#deps.api.get<Lease>(path, {}, this.#closing.signal)).catch(() => undefined);
    const holder = lock?.spec?.holderIdentity;
    this.#end(
      holder === undefined
        ? `Service "${service}" was recovered: somebody has put it back, or this machine was away for so long that it was taken for dead`
        : `Service "${service}" was recovered: ${holder} has put it back`,
    );
  }

  /** Runs something beside the rest; what fails there is told and ends nothing. */
  #run(task: () => Promise<void>): void {
    const running: Promise<void> = task().catch((error) => {
      if (!this.#closing.signal.aborted) {
        this.#deps.log.warn(`service "${this.#request.service}": ${error instanceof Error ? error.message : error}`);
      }
    }).finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  async #changed(change: ServiceChange): Promise<void> {
    const { service, insist } = this.#request;
    const { log } = this.#deps;
    switch (change.kind) {
      case "deleted":
        this.#stopTelling();
        this.#theirs = "deleted";
        return log.event(
          `Somebody has deleted service "${service}": nothing comes here any more. End this, and start it again once the service is there`,
        );
      case "diverted":
        this.#stopTelling();
        this.#theirs = undefined;
        if (this.#toldOfChange) log.event(`Service "${service}" is diverted to the agent again`);
        this.#toldOfChange = false;
        return;
      case "mixed":
        // Told when it is theirs.
        if (!insist) return await this.#unmix(change);
        break;
      case "selector":
        if (this.#remaking) return;
    }
    if (insist) {
      this.#toldOfChange = true;
      log.event(`Somebody has changed the selector of service "${service}"; diverting it again (--insist)`);
      return await this.#again();
    }
    this.#stopTelling();
    this.#theirs = "selector";
    this.#stopTelling = this.#deps.clock.after(remakePatience, () => {
      this.#toldOfChange = true;
      log.event(
        `Somebody has changed the selector of service "${service}": its requests go to the pods it selects now, not here. It is left so; --insist would divert it again`,
      );
    });
  }

  /** A merged selector selects nothing at all: theirs alone is what they wanted. */
  async #unmix({ service }: Extract<ServiceChange, { kind: "mixed" }>): Promise<void> {
    const patch = restoringPatch(service, undefined);
    const path = `${paths.services(this.#request.namespace)}/${this.#request.service}`;
    try {
      if (patch) await this.#deps.api.patch(path, "merge", patch, {}, this.#closing.signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error; // changed once more: that will be told, too
    }
  }

  async #again(): Promise<void> {
    const { namespace, service, owner } = this.#request;
    await this.#locked(async (signal) => {
      const plan = planAgent(await readService(namespace, service, this.#deps.api, signal));
      await divertService(plan, owner.name, this.#deps, signal);
    });
  }

  /** Keeps an eye on the others' Leases, so that at the end we know who lives, and makes an agent anew that somebody has deleted. */
  async #lookAround(): Promise<void> {
    const { namespace, service, owner } = this.#request;
    const { api, clock, log } = this.#deps;
    const signal = this.#closing.signal;
    while (!signal.aborted) {
      try {
        const labelSelector = `${labels.service}=${service},${labels.owner}`;
        const { items, date } = await api.list<Lease>(paths.leases(namespace), { labelSelector }, signal);
        for (const lease of items) this.#leaving?.sightings.see(lease, date);
        if (!items.some(({ metadata }) => metadata.labels?.[labels.owner] === owner.id)) {
          return await this.#wasRemoved();
        }
        await this.#seeToAgent(signal);
        await this.#seeToWorkload(signal);
      } catch (error) {
        // The API server is away, or the agent cannot be made now: the next look will tell.
        if (!signal.aborted) log.debug(`service "${service}": ${error instanceof Error ? error.message : error}`);
      }
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      await clock.sleep(lookInterval, AbortSignal.any([signal, waking.signal])).catch(() => {});
    }
  }

  async #seeToAgent(signal: AbortSignal): Promise<void> {
    const { namespace, service } = this.#request;
    const { api, log } = this.#deps;
    const path = `${paths.deployments(namespace)}/${objectNames(service).agent}`;
    if (await unlessGone(api.get(path, {}, signal))) return;
    await this.#locked(async (locked) => {
      const lease = `${paths.leases(namespace)}/${participantName(service, this.#request.owner.id)}`;
      // Without our Lease it was taken away on purpose, and `removed` will tell.
      if (!await unlessGone(api.get(lease, {}, locked)) || await unlessGone(api.get(path, {}, locked))) return;
      log.event(`The agent of service "${service}" was deleted; making it anew`);
      this.#remaking = true;
      try {
        // The Service selects nothing at present.
        await restoreSelector(namespace, service, api, locked);
        this.token = (await raiseAgent(this.plan, this.#request.image, this.#deps, locked)).token;
        await awaitAgent({ namespace, service }, this.#deps, locked);
        await divertService(this.plan, this.#request.owner.name, this.#deps, locked);
        log.event(`The agent of service "${service}" stands again`);
      } finally {
        this.#remaking = false;
      }
    });
  }

  /** Somebody may give the workload pods again, which share the requests with us then. */
  async #seeToWorkload(signal: AbortSignal): Promise<void> {
    const { namespace, service, owner, insist } = this.#request;
    const { workload } = this.plan;
    if (!workload) return;
    const { api, log } = this.#deps;
    const found = await unlessGone(api.get<ScaledObject>(paths.scalable(namespace, workload), {}, signal));
    const replicas = found?.spec?.replicas ?? 0;
    if (replicas === this.#toldReplicas) return;
    this.#toldReplicas = replicas;
    if (replicas === 0) return;
    const what = `Somebody has scaled ${describeScalable(workload)} to ${replicas}`;
    if (!insist) {
      return log.event(
        `${what}: its pods get a share of the requests of service "${service}". It is left so; --insist would scale it to zero again`,
      );
    }
    log.event(`${what}; scaling it to zero again (--insist)`);
    await this.#locked((locked) => scaleAway({ namespace, service, workload, by: owner.name }, this.#deps, locked));
    this.#toldReplicas = 0;
  }

  async #locked(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { namespace, service, owner } = this.#request;
    await withServiceLock({ namespace, service, holder: owner.name }, this.#deps, this.#closing.signal, action);
  }
}
