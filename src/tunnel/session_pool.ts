import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { type ForwardStream, StreamError } from "./forward_stream.ts";
import { SpdySession } from "./spdy_session.ts";
import type { Wire } from "./wire.ts";

/** Up to so many connections to one pod have a session to themselves; port-forward has no flow control, so sharing means waiting for each other. */
const ownLimit = 24;
/** Beyond this newcomers share in any case, whatever the others carry. */
const hardLimit = 64;
/** A stream that has moved so much is taken for a bulk transfer, which nobody should share a session with. */
const bulk = 256 * 1024;
/** Spare sessions of a burst are given back after this. */
const spareIdle = 30_000;
/** The last spare is kept warm for so long after the pod was last used. */
const lastIdle = 300_000;
const trimInterval = 10_000;

/** Opens the carrier of a new session to the pool's pod. */
export type OpenWire = (signal: AbortSignal) => Promise<Wire>;

interface Waiter {
  readonly port: number;
  readonly resolve: (stream: ForwardStream) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The port-forward sessions to one pod. A session serves one connection at a time and the next one as soon as that is over; one spare stands
 * ready, so that a new connection costs one round trip.
 */
export class SessionPool {
  readonly #openWire: OpenWire;
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  readonly #sessions = new Set<SpdySession>();
  readonly #waiters: Waiter[] = [];
  readonly #closing = new AbortController();
  #opening = 0;
  #stopTrim: (() => void) | undefined;
  #usedAt: number;

  constructor(openWire: OpenWire, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#openWire = openWire;
    this.#deps = deps;
    this.#usedAt = deps.clock.now();
  }

  /** Sessions that stand. */
  get size(): number {
    return this.#sessions.size;
  }

  /** True where nothing is open or being opened. */
  get empty(): boolean {
    return this.#sessions.size === 0 && this.#opening === 0;
  }

  /** Opens a connection to a port of the pod. Rejects as `OpenWire` does, or with the signal's reason. */
  connect(port: number, signal: AbortSignal): Promise<ForwardStream> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    this.#usedAt = this.#deps.clock.now();
    const session = this.#available();
    if (session) {
      const stream = session.connect(port);
      this.#keepSpare();
      return Promise.resolve(stream);
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        port,
        resolve: (stream) => {
          signal.removeEventListener("abort", abort);
          resolve(stream);
        },
        reject: (error) => {
          signal.removeEventListener("abort", abort);
          reject(error);
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.push(waiter);
      this.#openForWaiters();
    });
  }

  /** Ends all sessions and every connection in them, for a reason. */
  close(reason?: StreamError): void {
    this.#closing.abort(reason ?? new DOMException("The tunnel is closed", "AbortError"));
    this.#stopTrim?.();
    for (const session of [...this.#sessions]) session.close(reason);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#closing.signal.reason);
  }

  async #open(): Promise<void> {
    this.#opening++;
    try {
      const wire = await this.#openWire(this.#closing.signal);
      if (this.#closing.signal.aborted) return wire.close();
      this.#sessions.add(
        new SpdySession(wire, {
          onChange: () => this.#serve(),
          onEnd: (session, error) => this.#ended(session, error),
        }, this.#deps),
      );
      this.#stopTrim ??= this.#deps.clock.after(trimInterval, () => this.#trim());
    } catch (error) {
      this.#deps.log.debug(`cannot open a port-forward session: ${error instanceof Error ? error.message : error}`);
      this.#waiters.shift()?.reject(error);
    } finally {
      this.#opening--;
      this.#serve();
    }
  }

  /** Gives those who wait the sessions that have become free. */
  #serve(): void {
    if (this.#waiters.length === 0) return;
    for (let session; this.#waiters.length > 0 && (session = this.#available()) !== undefined;) {
      const waiter = this.#waiters.shift();
      waiter?.resolve(session.connect(waiter.port));
    }
    if (this.#waiters.length > 0) this.#openForWaiters();
    else this.#keepSpare();
  }

  /** A session of one's own for each who waits; beyond the limit only because there is none to share. */
  #openForWaiters(): void {
    const limit = this.#sessions.size < ownLimit ? ownLimit : hardLimit;
    while (this.#opening < this.#waiters.length && this.#sessions.size + this.#opening < limit) this.#open();
  }

  #ended(ended: SpdySession, error: Error): void {
    this.#sessions.delete(ended);
    // What has fallen silent has most likely taken the spares with it: they are not worth another wait. And a session that takes nothing does so
    // not because of its pod.
    if (error instanceof StreamError && error.code === "ETIMEDOUT") {
      for (const session of [...this.#sessions]) if (session.live.length === 0 || session.stuck) session.close();
    }
    this.#serve();
  }

  #keepSpare(): void {
    if (this.#opening === 0 && this.#sessions.size < ownLimit && !this.#idle()) this.#open();
  }

  /** A session that may take one more connection at once. */
  #available(): SpdySession | undefined {
    return this.#idle() ?? (this.#sessions.size >= ownLimit ? this.#quietest() : undefined);
  }

  /** The free session that was used last: its path is warm, and the others can be given back. */
  #idle(): SpdySession | undefined {
    let found: SpdySession | undefined;
    for (const session of this.#sessions) {
      if (session.open && session.live.length === 0 && session.idleSince >= (found?.idleSince ?? 0)) found = session;
    }
    return found;
  }

  /** The session that a newcomer disturbs least and is disturbed by least; undefined while one of its own may still be opened. */
  #quietest(): SpdySession | undefined {
    let found: SpdySession | undefined, quietSince = Infinity, fewest = Infinity;
    for (const session of this.#sessions) {
      const streams = session.live;
      if (!session.open || streams.some((stream) => stream.stalled || stream.received + stream.sent > bulk)) continue;
      const activeAt = Math.max(...streams.map((stream) => stream.activeAt));
      if (activeAt > quietSince || (activeAt === quietSince && streams.length >= fewest)) continue;
      [found, quietSince, fewest] = [session, activeAt, streams.length];
    }
    if (found || this.#sessions.size + this.#opening < hardLimit) return found;
    return [...this.#sessions].filter((session) => session.open).sort((a, b) => a.live.length - b.live.length)[0];
  }

  #trim(): void {
    const now = this.#deps.clock.now();
    const idle = [...this.#sessions].filter((session) =>
      session.open && session.live.length === 0 && now - session.idleSince > spareIdle
    );
    const keep = now - this.#usedAt < lastIdle ? 1 : 0;
    for (const session of idle.slice(keep)) session.close();
    this.#stopTrim = this.#sessions.size > 0 ? this.#deps.clock.after(trimInterval, () => this.#trim()) : undefined;
  }
}
