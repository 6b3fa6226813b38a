import type { V1Deployment } from "@kubernetes/client-node";
import type { Owner } from "../agent/protocol.ts";
import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import type { AgentImage } from "./agent_image.ts";
import { AgentLinks } from "./agent_links.ts";
import { awaitAgent } from "./await_agent.ts";
import { finishForOthers } from "./finish_for_others.ts";
import type { InboundDeps } from "./inbound.ts";
import type { Lease } from "./lease.ts";
import { LeaseSightings } from "./lease_sightings.ts";
import { leaveService } from "./leave_service.ts";
import { agentPurpose, labels, objectNames } from "./names.ts";
import { type Participation, takePart } from "./participation.ts";
import { paths } from "./paths.ts";
import { type Plan, planRelay } from "./plan.ts";
import { raiseAgent } from "./raise_agent.ts";
import { RelayDialer } from "./relay_dialer.ts";
import { withServiceLock } from "./service_lock.ts";
import { unlessGone } from "./unless_gone.ts";

/** Which relay is wanted. */
export interface RelayRequest {
  readonly namespace: string;
  /** A `relayName`. All hawsers that name the same share one relay. */
  readonly name: string;
  readonly image: AgentImage;
  readonly owner: Owner;
}

/** A way to dial from inside the cluster. */
export interface Relay {
  /** Name of its Deployment, Secret and ConfigMap. */
  readonly object: string;
  readonly dialer: RelayDialer;
  /** Leaves; the last one out removes the relay. Never rejects: what is left is told, with what finishes it. */
  close(): Promise<void>;
}

/** Milliseconds for a link, once the relay is ready; between two looks at it; for leaving. */
const linkPatience = 20_000;
const lookInterval = 5_000;
const closePatience = 30_000;

/**
 * Joins a user's relay in a namespace, or makes it: a pod that dials for this laptop. While it is used its objects are made again whenever somebody removes
 * them. Where a step fails or `signal` aborts, what was done is undone. Rejects with errors whose messages are for people.
 */
export async function openRelay(request: RelayRequest, deps: InboundDeps, signal: AbortSignal): Promise<Relay> {
  const relay = new RunningRelay(request, deps);
  try {
    await relay.open(signal);
    return relay;
  } catch (error) {
    await relay.close();
    throw error;
  } finally {
    deps.onProgress?.("");
  }
}

class RunningRelay implements Relay {
  readonly object: string;
  readonly dialer: RelayDialer;
  readonly #request: RelayRequest;
  readonly #deps: InboundDeps;
  readonly #plan: Plan;
  readonly #links: AgentLinks;
  readonly #sightings: LeaseSightings;
  readonly #closing = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  /** Until then a pod that is seen may be one that leaves, and the token is not known. */
  readonly #raised = Promise.withResolvers<void>();
  #token = "";
  #participation: Participation | undefined;
  #wake = () => {};

  constructor(request: RelayRequest, deps: InboundDeps) {
    const { namespace, name, owner } = request;
    this.#request = request;
    this.#deps = deps;
    this.#plan = planRelay(namespace, name);
    this.#sightings = new LeaseSightings(deps.clock, deps.process);
    this.#raised.promise.catch(() => {}); // nobody may have asked
    this.#links = new AgentLinks({
      namespace,
      service: name,
      linkPort: this.#plan.linkPort,
      token: () => this.#raised.promise.then(() => this.#token),
      owner,
      rules: [],
      onLeaving: () => this.#wake(),
    }, deps);
    this.object = objectNames(name).agent;
    this.dialer = new RelayDialer({ links: this.#links, clock: deps.clock });
  }

  async open(signal: AbortSignal): Promise<void> {
    const { namespace, name, owner } = this.#request;
    const { clock, onProgress } = this.#deps;
    await this.#locked(signal, async (locked) => {
      onProgress?.("Making the relay…");
      await this.#raise(locked);
      await awaitAgent(
        { namespace, service: name, onProgress: (state) => onProgress?.(`Waiting for the relay: ${state}`) },
        this.#deps,
        locked,
      );
      onProgress?.("Linking…");
      const late = () =>
        new Failure(`No link to the relay within ${linkPatience / 1000} s; --log-level debug says why`);
      await withDeadline(
        clock,
        linkPatience,
        locked,
        late,
        (limit) => Promise.race([this.#links.standing, aborted(limit)]),
      );
    });
    const where = { namespace, own: name, holder: owner.name };
    this.#tasks.push(this.#keep(), finishForOthers(where, this.#deps, this.#closing.signal).catch(() => {}));
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("closed"));
    this.#raised.reject(new Error("closed"));
    await Promise.all(this.#tasks);
    if (!this.#participation) return await this.#links.close();
    const { namespace, name, owner } = this.#request;
    const never = new AbortController().signal;
    const late = () => new Error(`it took more than ${closePatience / 1000} s`);
    try {
      const leaving = {
        namespace,
        service: name,
        owner: owner.id,
        links: this.#links,
        participation: this.#participation,
        sightings: this.#sightings,
      };
      await withDeadline(
        this.#deps.clock,
        closePatience,
        never,
        late,
        (limit) => this.#locked(limit, async (locked) => void await leaveService(leaving, this.#deps, locked)),
      );
    } catch (error) {
      this.#participation?.abandon();
      await this.#links.close();
      const why = error instanceof Error ? error.message : error;
      this.#deps.log.event(
        `The relay "${this.object}" could not be removed (${why}); this finishes it: hawser clean -n ${namespace}`,
      );
    }
  }

  /** Makes what is missing of our part in the relay, and of the relay. To be called with the lock held. */
  async #raise(signal: AbortSignal): Promise<void> {
    const { namespace, name, owner, image } = this.#request;
    const holding = { kind: "relay", ports: [], mark: "" } as const;
    if (!this.#participation) {
      const participation = await takePart({ namespace, service: name, owner, holding }, this.#deps, signal);
      this.#participation = participation;
      participation.removed.then(() => this.#wake());
    }
    this.#token = (await raiseAgent(this.#plan, image, this.#deps, signal)).token;
    this.#raised.resolve();
  }

  /** Looks from time to time whether the relay stands, and who else uses it, so that at the end we know who lives. */
  async #keep(): Promise<void> {
    const { clock, log } = this.#deps;
    const signal = this.#closing.signal;
    for (let told = ""; !signal.aborted;) {
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      await clock.sleep(lookInterval, AbortSignal.any([signal, waking.signal])).catch(() => {});
      try {
        if (signal.aborted || await this.#stands(signal)) continue;
        log.event(`Somebody has removed ${agentPurpose(this.#request.name)}, or it was taken for dead; making it anew`);
        await this.#locked(signal, (locked) => this.#raise(locked));
        told = "";
      } catch (error) {
        // The API server is away, or the relay may not be made any more: the next look will tell.
        const message = error instanceof Error ? error.message : String(error);
        if (!signal.aborted && message !== told) log.info(`${this.object}: ${message}`);
        told = message;
      }
    }
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const { namespace, name, owner } = this.#request;
    const { api } = this.#deps;
    const [{ items, date }, deployment] = await Promise.all([
      api.list<Lease>(paths.leases(namespace), { labelSelector: `${labels.service}=${name},${labels.owner}` }, signal),
      unlessGone(api.get<V1Deployment>(`${paths.deployments(namespace)}/${this.object}`, {}, signal)),
    ]);
    for (const lease of items) this.#sightings.see(lease, date);
    const ours = items.some(({ metadata }) => metadata.labels?.[labels.owner] === owner.id);
    if (!ours) {
      this.#participation?.abandon();
      this.#participation = undefined;
    }
    return ours && deployment !== undefined && !deployment.metadata?.deletionTimestamp;
  }

  async #locked(signal: AbortSignal, action: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { namespace, name, owner } = this.#request;
    const onWait = (holder: string) => this.#deps.onProgress?.(`${holder} is at the relay just now; waiting…`);
    await withServiceLock({ namespace, service: name, holder: owner.name, onWait }, this.#deps, signal, action);
  }
}
