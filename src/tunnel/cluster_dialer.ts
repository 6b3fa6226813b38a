import { type Access, AccessError } from "../cluster/access.ts";
import type { Directory, Lookup, PodRef, Service } from "../cluster/directory.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Log, silentLog } from "../platform/log.ts";
import type { Duplex } from "../stream/duplex.ts";
import { DialAttempts, PodGone } from "./dial_attempts.ts";
import { type Dialer, DialError, type DialOptions, type Target, targetName } from "./dialer.ts";
import { EarlyStream } from "./early_stream.ts";
import { findCandidates } from "./find_candidates.ts";
import { type ForwardStream, StreamError } from "./forward_stream.ts";
import { podKey, podName, type PodPort, portKey } from "./pod_port.ts";
import { SessionPool } from "./session_pool.ts";
import { type Carrier, UpgradeError } from "./request_upgrade.ts";
import { upgrade } from "./upgrade.ts";

/** What a ClusterDialer needs. */
export interface ClusterDialerDeps {
  readonly access: Access;
  readonly directory: Directory;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** A refusal follows the acceptance of a stream within about a millisecond; nothing at all follows a success. */
const refusalGrace = 30;
/** A port that answered so recently is taken to listen still, which spares new connections a round trip. */
const knownFor = 30_000;
/** A pod that failed so recently is tried after the others. */
const shunnedFor = 5_000;
const attemptLimit = 4;
/** What a pod said last, before it was gone, may still be on its way for so long. */
const goneGrace = 2_000;
const openTimeout = 15_000;
const rememberedLimit = 4096;

/**
 * Dials names and addresses of the cluster by port-forward to the pods behind them. A pod that is gone or does not listen is passed over for the
 * service's next one, as long as no program has seen a byte.
 */
export class ClusterDialer implements Dialer {
  readonly #access: Access;
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pools = new Map<string, { readonly pod: PodRef; readonly pool: SessionPool }>();
  /** Ends the wait for the last of a pod that is gone. */
  readonly #leaving = new Map<string, () => void>();
  readonly #stopWatching: () => void;
  readonly #knownUntil = new Map<string, number>();
  readonly #shunnedUntil = new Map<string, number>();
  readonly #affinity = new Map<string, { key: string; until: number }>();
  #carrier: Carrier = "websocket";

  constructor(deps: ClusterDialerDeps) {
    this.#access = deps.access;
    this.#directory = deps.directory;
    this.#clock = deps.clock ?? systemClock;
    this.#log = deps.log ?? silentLog;
    this.#stopWatching = deps.directory.onChange(() => this.#lookForGonePods());
  }

  /** Port-forward sessions that stand, for people who want to know. */
  get sessions(): number {
    let count = 0;
    for (const { pool } of this.#pools.values()) count += pool.size;
    return count;
  }

  /** How SPDY travels at present: `spdy` once a server or proxy has refused the WebSocket. */
  get carrier(): Carrier {
    return this.#carrier;
  }

  /** Dials what a host means in the cluster; rejects with a DialError of kind `unknown` where it means nothing there. */
  async dial(target: Target, options: DialOptions): Promise<Duplex> {
    return await this.dialFound(await this.#directory.lookup(target.host, options.signal), target, options);
  }

  /** Dials what a lookup has found; `target` is what the program asked for. */
  async dialFound(found: Lookup, target: Target, options: DialOptions): Promise<Duplex> {
    if (target.network === "udp") {
      throw new DialError(
        "unsupported",
        `${targetName(target)} is UDP, which a port-forward cannot carry: add --relay`,
      );
    }
    const candidates = await this.#candidates(found, target, options);
    return await this.#dialAny(candidates, target, options);
  }

  /**
   * Dials one of several pods, in this order; `name` is what they are to the program that asks, as in `deploy/api`. Where none can be had `more`, if given, is
   * asked once for pods that have come since.
   */
  async dialPods(
    candidates: readonly PodPort[],
    name: string,
    options: DialOptions,
    more?: () => Promise<readonly PodPort[]>,
  ): Promise<Duplex> {
    return await this.#dialAny(candidates, { host: name, port: candidates[0]?.port ?? 0 }, options, more);
  }

  /** Ends all sessions and every connection in them. */
  close(): void {
    this.#stopWatching();
    for (const stop of this.#leaving.values()) stop();
    for (const { pool } of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  /**
   * Kubernetes forgets a pod once its processes have ended. Connections whose last bytes were lost with its network do not end then, as the node
   * waits for the pod to speak: they are ended here.
   */
  #lookForGonePods(): void {
    for (const [key, { pod }] of this.#pools) {
      if (this.#leaving.has(key) || this.#directory.hasPod(pod) !== false) continue;
      this.#leaving.set(
        key,
        this.#clock.after(goneGrace, () => {
          this.#leaving.delete(key);
          // Its endpoints may have been known before itself.
          if (this.#directory.hasPod(pod) === false) this.#endPool(key);
        }),
      );
    }
  }

  #endPool(key: string): void {
    const { pod, pool } = this.#pools.get(key) ?? {};
    if (!pod || !pool) return;
    this.#pools.delete(key);
    pool.close(new StreamError("ECONNRESET", `${podName(pod)} is gone`));
  }

  async #candidates(found: Lookup, target: Target, options: DialOptions): Promise<PodPort[]> {
    switch (found.kind) {
      case "service":
        return await this.#ofService(found.service, target, options);
      case "endpoint":
        if (!found.endpoint.pod) throw noPod(found.service);
        return [{ pod: found.endpoint.pod, port: target.port }];
      case "pod":
        return [{ pod: found.pod, port: target.port }];
      case "missing":
        throw new DialError("unknown", found.message);
      case "forbidden":
        throw new DialError("forbidden", found.message);
      case "empty":
        throw new DialError(
          "unknown",
          `"${target.host}" is a domain of the cluster, not a service or pod; use NAME.NAMESPACE`,
        );
      case "foreign":
        throw new DialError(
          "unknown",
          `"${target.host}" is no name or address of the cluster in context "${this.#access.context}"`,
        );
    }
  }

  async #ofService(service: Service, target: Target, options: DialOptions): Promise<PodPort[]> {
    const candidates = await findCandidates(service, target.port, this.#directory, options.signal);
    const pods = candidates.flatMap(({ endpoint, port }) => endpoint.pod ? [{ pod: endpoint.pod, port }] : []);
    if (pods.length === 0) throw noPod(service);
    return this.#order(service, pods, options.client ?? "");
  }

  /** Where to try first: the client's own pod under session affinity, else any; what failed a moment ago comes last. */
  #order(service: Service, pods: readonly PodPort[], client: string): PodPort[] {
    const now = this.#clock.now();
    const start = Math.floor(Math.random() * pods.length);
    const turned = [...pods.slice(start), ...pods.slice(0, start)];
    const shunned = (each: PodPort) => (this.#shunnedUntil.get(portKey(each)) ?? 0) > now;
    const ordered = [...turned.filter((each) => !shunned(each)), ...turned.filter(shunned)];
    if (service.affinity === 0) return ordered;
    const key = `${service.namespace}/${service.name} ${client}`;
    const pinned = this.#affinity.get(key);
    const index = pinned && pinned.until > now
      ? ordered.findIndex((each) => podKey(each.pod) === pinned.key && !shunned(each))
      : -1;
    if (index > 0) ordered.unshift(...ordered.splice(index, 1));
    const [first] = ordered;
    if (first) remember(this.#affinity, key, { key: podKey(first.pod), until: now + service.affinity * 1000 });
    return ordered;
  }

  async #dialAny(
    candidates: readonly PodPort[],
    target: Target,
    options: DialOptions,
    more?: () => Promise<readonly PodPort[]>,
  ): Promise<Duplex> {
    const attempts = new DialAttempts(
      candidates.slice(0, attemptLimit),
      (each) => this.#open(each, target, options.signal),
      (each) => {
        this.#knownUntil.delete(portKey(each));
        remember(this.#shunnedUntil, portKey(each), this.#clock.now() + shunnedFor);
      },
      target,
      more,
    );
    let stream = await attempts.next();
    while (!options.early && (this.#knownUntil.get(portKey(attempts.current)) ?? 0) <= this.#clock.now()) {
      const failure = await confirmed(stream, options.signal);
      if (!failure) {
        this.#known(attempts.current);
        return stream;
      }
      stream = await attempts.next(failure);
    }
    return new EarlyStream(stream, {
      onAnswer: () => this.#known(attempts.current),
      next: (failure) => attempts.next(failure),
    });
  }

  #known(each: PodPort): void {
    remember(this.#knownUntil, portKey(each), this.#clock.now() + knownFor);
  }

  async #open({ pod, port }: PodPort, target: Target, signal: AbortSignal): Promise<ForwardStream> {
    const key = podKey(pod);
    let pool = this.#pools.get(key)?.pool;
    if (!pool) {
      for (const [each, { pool }] of this.#pools) if (pool.empty) this.#pools.delete(each);
      pool = new SessionPool((closing) => this.#openWire(pod, closing), { clock: this.#clock, log: this.#log });
      this.#pools.set(key, { pod, pool });
    }
    const timeout = new AbortController();
    const stopTimer = this.#clock.after(openTimeout, () => {
      timeout.abort(
        new DialError(
          "timeout",
          `No port-forward to ${podName(pod)} within ${openTimeout / 1000} s, wanted for ${targetName(target)}`,
        ),
      );
    });
    try {
      return await pool.connect(port, AbortSignal.any([signal, timeout.signal]));
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#explain(error, pod, target);
    } finally {
      stopTimer();
    }
  }

  /** Servers before 1.31 and some proxies refuse the WebSocket: what works is remembered. */
  async #openWire(pod: PodRef, closing: AbortSignal) {
    const timeout = new AbortController();
    const stopTimer = this.#clock.after(
      openTimeout,
      () =>
        timeout.abort(
          new AccessError("timeout", `no answer to the port-forward request within ${openTimeout / 1000} s`),
        ),
    );
    const signal = AbortSignal.any([closing, timeout.signal]);
    try {
      try {
        return await upgrade(this.#access, pod, this.#carrier, signal);
      } catch (error) {
        if (!(error instanceof UpgradeError) || this.#carrier === "spdy") throw error;
        if (error.reason === "NotFound" || error.status === 401) throw error;
        const wire = await upgrade(this.#access, pod, "spdy", signal).catch(() => {
          throw error;
        });
        // Most words of Kubernetes itself are about this request; others do not know what was asked.
        if (error.reason === "" || error.reason === "BadRequest") this.#carrier = "spdy";
        this.#log.info(`the WebSocket tunnel was refused (${error.status} ${error.message}); plain SPDY works`);
        return wire;
      }
    } finally {
      stopTimer();
    }
  }

  #explain(error: unknown, pod: PodRef, target: Target): unknown {
    if (error instanceof UpgradeError) {
      const said = `${error.status ? `HTTP ${error.status}: ` : ""}${error.message}`;
      if (error.status === 404) return new PodGone(`${podName(pod)} is gone (${said})`);
      if (error.status === 401) {
        return new DialError(
          "forbidden",
          `The API server does not accept the credentials of context "${this.#access.context}" any more (${said}); log in again`,
        );
      }
      if (error.status === 403) {
        return new DialError(
          "forbidden",
          `Not allowed to port-forward to ${
            podName(pod)
          } (${said}); ask for the verbs get and create on pods/portforward in namespace "${pod.namespace}": hawser doctor --rbac prints the Role`,
        );
      }
      return new PodGone(`Port-forward to ${podName(pod)} was refused (${said})`);
    }
    if (error instanceof AccessError) {
      return new DialError(
        error.kind === "timeout" ? "timeout" : error.kind === "credentials" ? "forbidden" : "unreachable",
        `Cannot reach ${targetName(target)}: ${error.message}`,
        { cause: error },
      );
    }
    if (error instanceof DialError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new DialError("unreachable", `Cannot reach ${targetName(target)}: ${message}`, { cause: error });
  }
}

async function confirmed(stream: ForwardStream, signal: AbortSignal): Promise<StreamError | undefined> {
  const abort = () => stream.reset();
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const failure = await stream.confirmed(refusalGrace);
    if (signal.aborted) throw signal.reason;
    return failure;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function noPod(service: Service): DialError {
  return new DialError(
    "unsupported",
    `Service "${service.namespace}/${service.name}" has endpoints that are no pods of this cluster, which a port-forward cannot reach: add --relay`,
  );
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > rememberedLimit) { for (const oldest of map.keys()) return void map.delete(oldest); }
}
