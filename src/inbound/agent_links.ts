import type { V1Pod } from "@kubernetes/client-node";
import type { ControlEvent, Owner, OwnerRules, Rule, Seen } from "../agent/protocol.ts";
import type { Api } from "../cluster/api.ts";
import { type Informer, runInformer } from "../cluster/informer.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import { AgentLink, type AgentRequest } from "./agent_link.ts";
import { Activity, carryDelivery } from "./delivery.ts";
import { describeMark } from "./mark.ts";
import type { LocalProgram } from "./local_program.ts";
import { agentPurpose, labels, relayUser } from "./names.ts";
import { paths } from "./paths.ts";

/** A rule, and the program here that answers what it brings. */
export interface LocalRule extends Rule {
  readonly program: LocalProgram;
}

/** What to link, and whom to tell. */
export interface AgentLinksOptions {
  readonly namespace: string;
  readonly service: string;
  readonly linkPort: number;
  /** What links must show; asked for each time, as an agent that is made anew has another. No pod is dialed before it is known. */
  readonly token: () => string | Promise<string>;
  readonly owner: Owner;
  readonly rules: readonly LocalRule[];
  /** Counts of requests answered here, by rule; told at most once a second. */
  readonly onServed?: (rule: string, count: number) => void;
  /** All that came here, and how much more there was than could be told. Without it the agent is not asked to tell. */
  readonly onSeen?: (seen: readonly Seen[], missed: number) => void;
  /** A pod of the agent is about to go. */
  readonly onLeaving?: () => void;
}

/** What the links use of the world. */
export interface AgentLinksDeps {
  readonly api: Api;
  readonly dialer: Pick<ClusterDialer, "dialPods">;
  readonly clock: Clock;
  readonly log: Log;
}

const shortestDelay = 150;
const longestDelay = 2_000;
/** A rule that was refused once it stood is offered again after so long: whoever took the mark may leave. */
const refusedDelay = 5_000;
const busyInterval = 50;

/**
 * Links to every pod of an agent: in a rollout there are two for a while, and either may get the next request. Keeps them while they live, with the same
 * owner, opens broken ones anew and follows pods that are replaced; what comes is carried to programs of this machine.
 */
export class AgentLinks {
  /** Resolves once the rules stand in one pod; rejects with a {@linkcode Failure} where the agent refuses them or us. */
  readonly standing: Promise<void>;
  readonly #options: AgentLinksOptions;
  readonly #deps: AgentLinksDeps;
  readonly #closing = new AbortController();
  readonly #informer: Informer;
  readonly #pods = new Map<string, AbortController>();
  /** Each with the uid of its pod, the newest last. */
  readonly #links = new Map<AgentLink, string>();
  /** Uids of pods that are on their way out. */
  readonly #going = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #deliveries = new Map<Activity, Promise<void>>();
  #rules: readonly LocalRule[];
  #stand!: PromiseWithResolvers<void>;
  #stood = false;
  #lostAt: number | undefined;
  /** Uid of the pod that was linked last. */
  #pod: string | undefined;
  /** Names of those who share the service, as far as we know. */
  readonly #others = new Set<string>();
  #refusalTold = false;
  /** Nothing is lost any more with a link. */
  #leaving = false;

  constructor(options: AgentLinksOptions, deps: AgentLinksDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#rules = options.rules;
    this.#stand = Promise.withResolvers<void>();
    this.standing = this.#stand.promise;
    this.standing.catch(() => {});
    const { namespace, service } = options;
    this.#informer = runInformer<V1Pod>(
      {
        api: deps.api,
        path: paths.pods(namespace),
        query: { labelSelector: `${labels.agent}=${service}` },
        onSync: (pods) => this.#sync(pods),
        onEvent: ({ type, object }) => type === "DELETED" ? this.#drop(object) : this.#see(object),
        onError: (error) => deps.log.debug(`agent pods: ${error instanceof Error ? error.message : error}`),
      },
      deps,
      this.#closing.signal,
    );
  }

  /** Links whose rules stand. */
  get size(): number {
    return this.#links.size;
  }

  /** Opens a stream to the agent, to its newest pod that stays; undefined where no link stands. */
  open(): Duplex | undefined {
    const [newest, ...older] = [...this.#links].reverse();
    if (!newest) return undefined;
    const [link] = [newest, ...older].find(([, uid]) => !this.#going.has(uid)) ?? newest;
    try {
      return link.open();
    } catch {
      return undefined; // it has just ended
    }
  }

  /** Who is linked to the agent, ourselves included; undefined where no link stands. */
  async owners(signal: AbortSignal): Promise<readonly OwnerRules[] | undefined> {
    const all = await this.#ask({ type: "owners" }, signal);
    const owners = all.flatMap((answer) => answer.ok && answer.owners ? [answer.owners] : [])[0];
    for (const { owner } of owners ?? []) if (owner !== this.#options.owner.name) this.#others.add(owner);
    return owners;
  }

  /** We are on the way out: a link that breaks is no news any more. */
  expectEnd(): void {
    this.#leaving = true;
  }

  /** Takes our rules back, and waits up to `ms` milliseconds for what is under way here. */
  async withdraw(ms: number, signal: AbortSignal): Promise<void> {
    this.#rules = [];
    this.#leaving = true;
    await this.#ask({ type: "rules", rules: [], observe: this.#options.onSeen !== undefined }, signal);
    const { clock } = this.#deps;
    const busy = () => [...this.#deliveries.keys()].some(({ underWay }) => underWay);
    for (const deadline = clock.now() + ms; busy() && clock.now() < deadline;) await clock.sleep(busyInterval, signal);
  }

  /** Nothing new comes to any laptop; resolves once what is under way is done, or after `ms` milliseconds. */
  async drain(ms: number, signal: AbortSignal): Promise<void> {
    this.#leaving = true;
    await this.#ask({ type: "drain", ms }, signal);
  }

  /** Ends all links and deliveries. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("closed"));
    for (const pod of this.#pods.values()) pod.abort();
    for (const link of this.#links.keys()) link.close();
    this.#stand.reject(new Error("closed"));
    await Promise.all([this.#informer.done, ...this.#running, ...this.#deliveries.values()]);
  }

  async #ask(request: AgentRequest, signal: AbortSignal) {
    const answers = await Promise.allSettled([...this.#links.keys()].map((link) => link.request(request, signal)));
    signal.throwIfAborted();
    return answers.flatMap((answer) => answer.status === "fulfilled" ? [answer.value] : []);
  }

  #sync(pods: readonly V1Pod[]): void {
    const uids = new Set(pods.map(({ metadata }) => metadata?.uid));
    for (const [uid, gone] of this.#pods) {
      if (uids.has(uid)) continue;
      this.#pods.delete(uid);
      gone.abort();
    }
    for (const pod of pods) this.#see(pod);
  }

  #see(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    if (pod.metadata?.deletionTimestamp) {
      this.#going.add(uid);
      this.#options.onLeaving?.();
    }
    // A pod that terminates keeps its link: it still serves what it has.
    if (this.#pods.has(uid) || pod.metadata?.deletionTimestamp || pod.status?.phase !== "Running") return;
    const leaving = new AbortController();
    this.#pods.set(uid, leaving);
    const signal = AbortSignal.any([leaving.signal, this.#closing.signal]);
    const running: Promise<void> = this.#keep(pod, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #drop(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    this.#pods.get(uid)?.abort();
    this.#pods.delete(uid);
    this.#going.delete(uid);
  }

  /** Keeps the link to one pod until it is gone. Never rejects. */
  async #keep(pod: V1Pod, signal: AbortSignal): Promise<void> {
    let delay = shortestDelay;
    while (!signal.aborted) {
      try {
        const link = await this.#open(pod, signal);
        delay = shortestDelay;
        try {
          await this.#serve(link, pod.metadata?.uid ?? "", signal);
        } finally {
          this.#links.delete(link);
          link.close();
        }
        if (!this.#closing.signal.aborted && this.#links.size === 0) this.#lost();
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#deps.log.debug(`link to pod "${pod.metadata?.name}": ${message}`);
        if (error instanceof Failure) {
          if (!this.#stood) this.#stand.reject(error);
          else if (!this.#refusalTold) this.#deps.log.event(`${message}; it is asked again`);
          this.#refusalTold = true;
          delay = refusedDelay;
        }
      }
      await this.#deps.clock.sleep(delay, signal).catch(() => {});
      delay = Math.min(longestDelay, delay * 2);
    }
  }

  async #open(pod: V1Pod, signal: AbortSignal): Promise<AgentLink> {
    const { token, owner, linkPort, service, namespace, onServed, onSeen } = this.#options;
    const { name = "", uid = "" } = pod.metadata ?? {};
    const { dialer } = this.#deps;
    const shown = await token();
    const stream = await dialer.dialPods([{ pod: { namespace, name, uid }, port: linkPort }], `agent of ${service}`, {
      signal,
    });
    return await AgentLink.open(
      stream,
      {
        token: shown,
        owner,
        onDelivery: (delivery) => {
          const activity = new Activity(this.#deps.clock);
          const carried = carryDelivery(delivery, activity, {
            clock: this.#deps.clock,
            // What was sent before the agent heard that we leave is answered still.
            programFor: (rule) => this.#options.rules.find(({ id }) => id === rule)?.program,
            onRefused: (program, error) => this.#refused(program, error),
          }, this.#closing.signal).finally(() => this.#deliveries.delete(activity));
          this.#deliveries.set(activity, carried);
        },
        onEvent: (event) => {
          if (event.event === "served") onServed?.(event.rule, event.count);
          else if (event.event === "seen") onSeen?.(event.seen, event.missed);
          else this.#told(event, uid);
        },
      },
      this.#deps,
      signal,
    );
  }

  /** Until the link ends. */
  async #serve(link: AgentLink, uid: string, signal: AbortSignal): Promise<void> {
    const end = () => link.close();
    signal.addEventListener("abort", end, { once: true });
    try {
      const rules = this.#rules.map(({ program: _program, ...rule }): Rule => rule);
      const observe = this.#options.onSeen !== undefined;
      const answer = await link.request({ type: "rules", rules, observe }, signal);
      if (!answer.ok) throw this.#refusal(answer.error, answer.holder);
      this.#links.set(link, uid);
      this.#refusalTold = false;
      this.#back(uid);
      await link.ended;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  #refusal(error: string, holder: string | undefined): Failure {
    const { service, rules } = this.#options;
    const mark = describeMark(rules[0]?.match ?? []);
    if (holder === undefined) return new Failure(`The agent of service "${service}" refuses the rules: ${error}`);
    return new Failure(
      mark === ""
        ? `${holder} exchanges service "${service}" already: wait until they are done, or use hawser mesh, which both can`
        : `${holder} has the mark ${mark} on service "${service}" already: choose another with --version-mark or --match`,
    );
  }

  #back(uid: string): void {
    if (!this.#stood) {
      this.#stood = true;
      this.#stand.resolve();
    } else if (this.#lostAt !== undefined) {
      const seconds = Math.round((this.#deps.clock.now() - this.#lostAt) / 1000);
      this.#deps.log.event(`The link to ${this.#name} is back after ${seconds} s`);
    } else if (uid !== this.#pod) {
      this.#deps.log.event(`${capitalized(this.#name)} has moved to another pod`);
    }
    this.#pod = uid;
    this.#lostAt = undefined;
  }

  #lost(): void {
    if (this.#lostAt !== undefined || !this.#stood || this.#leaving) return;
    this.#lostAt = this.#deps.clock.now();
    const meanwhile = relayUser(this.#options.service) === undefined
      ? "requests go to the original pods until it is back"
      : "its connections are cut; until it is back new ones go by port-forward, where they can";
    this.#deps.log.event(`The link to ${this.#name} broke: ${meanwhile}`);
  }

  get #name(): string {
    const { service } = this.#options;
    return relayUser(service) === undefined ? `the agent of "${service}"` : agentPurpose(service);
  }

  #refusedAt = -Infinity;

  /** A program that is being restarted refuses every request: once in a while is often enough to say so. */
  #refused(program: LocalProgram | undefined, error: Error): void {
    const now = this.#deps.clock.now();
    if (now - this.#refusedAt < 5_000) return;
    this.#refusedAt = now;
    const { service, rules } = this.#options;
    const then = rules.find((rule) => rule.program === program)?.fallback === "error"
      ? "the request fails with 502"
      : "the original pods answer instead";
    this.#deps.log.event(`A request for "${service}" came and ${error.message}: ${then}`);
  }

  /** While an agent moves, all join the new pod and are lost to the old one: that is no news. */
  #told(event: Exclude<ControlEvent, { event: "served" | "seen" }>, uid: string): void {
    const { service } = this.#options;
    const { log } = this.#deps;
    switch (event.event) {
      case "joined":
        // The same user here may take part more than once, as with an exchange and a mesh of one run.
        if (event.owner === this.#options.owner.name || this.#others.has(event.owner)) return;
        this.#others.add(event.owner);
        return log.event(`${event.owner} has joined: the service "${service}" is shared now`);
      case "left":
        if (!this.#others.delete(event.owner)) return;
        return log.event(`${event.owner} has left the service "${service}"`);
      case "lost":
        if (this.#going.has(uid) || !this.#others.delete(event.owner)) return;
        return log.event(
          `${event.owner} is away from the service "${service}": their link broke, and what was theirs goes to the original pods`,
        );
      case "encrypted":
        return log.event(
          `What comes to port ${event.port} of the agent of "${service}" is TLS, in which no mark can be read: it goes to the original pods`,
        );
    }
  }
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
