import { DialError, type Target, targetName } from "./dialer.ts";
import { type ForwardStream, StreamError } from "./forward_stream.ts";
import { podName, type PodPort, portKey } from "./pod_port.ts";

/** This pod cannot be had, another may. */
export class PodGone extends Error {
  override readonly name = "PodGone";
}

/** The candidates of one connection, one after another. */
export class DialAttempts {
  current: PodPort;
  readonly #left: PodPort[];
  readonly #tried = new Set<string>();
  readonly #open: (each: PodPort) => Promise<ForwardStream>;
  readonly #shun: (each: PodPort) => void;
  readonly #target: Target;
  #stream: ForwardStream | undefined;
  #repeated = false;
  #more: (() => Promise<readonly PodPort[]>) | undefined;

  constructor(
    candidates: readonly PodPort[],
    open: (each: PodPort) => Promise<ForwardStream>,
    shun: (each: PodPort) => void,
    target: Target,
    more: (() => Promise<readonly PodPort[]>) | undefined,
  ) {
    const [first, ...rest] = candidates;
    if (!first) throw new RangeError("No candidates");
    this.current = first;
    this.#left = [first, ...rest];
    this.#open = open;
    this.#shun = shun;
    this.#target = target;
    this.#more = more;
  }

  /** Opens the next attempt; rejects with a DialError made of the last failure when none is left. */
  async next(failure?: unknown): Promise<ForwardStream> {
    for (let reason = failure;;) {
      if (reason !== undefined) this.#failed();
      const each = this.#left.shift() ?? await this.#newcomer();
      if (!each) throw this.#final(reason);
      this.current = each;
      this.#tried.add(portKey(each));
      try {
        return this.#stream = await this.#open(each);
      } catch (error) {
        if (!(error instanceof PodGone)) throw error;
        reason = error;
      }
    }
  }

  async #newcomer(): Promise<PodPort | undefined> {
    const more = this.#more;
    this.#more = undefined;
    this.#left.push(...(await more?.() ?? []).filter((each) => !this.#tried.has(portKey(each))));
    return this.#left.shift();
  }

  #failed(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    // A session that died before it took the stream says nothing about the pod, which is tried once more in a new one.
    if (!stream || stream.replied || this.#repeated) return this.#shun(this.current);
    this.#repeated = true;
    this.#left.unshift(this.current);
  }

  #final(reason: unknown): DialError {
    const { pod, port } = this.current;
    if (reason instanceof StreamError && reason.code === "ECONNREFUSED") {
      return new DialError(
        "refused",
        `Connection to ${targetName(this.#target)} refused: nothing listens on port ${port} in ${podName(pod)}; ` +
          `a port-forward reaches programs that listen on localhost or on all addresses (0.0.0.0, ::), not on the pod's address alone (add --relay for those)`,
      );
    }
    const gone = reason instanceof StreamError && reason.code === "EHOSTUNREACH";
    const message = gone ? `${podName(pod)} is gone` : reason instanceof Error ? reason.message : String(reason);
    const kind = reason instanceof StreamError && reason.code === "ETIMEDOUT" ? "timeout" : "unreachable";
    return new DialError(kind, `Cannot reach ${targetName(this.#target)}: ${message}`, { cause: reason });
  }
}
