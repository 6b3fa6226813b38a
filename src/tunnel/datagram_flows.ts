import { DatagramSplitter, frameDatagram } from "../stream/datagram_frames.ts";
import type { Duplex } from "../stream/duplex.ts";

/** What flows are made of. */
export interface DatagramFlowsDeps {
  /** Opens the other end of a flow, a stream of framed datagrams. */
  dial(key: string, signal: AbortSignal): Promise<Duplex>;
  /** A datagram has come back; it is valid until this returns. */
  onDatagram(key: string, datagram: Uint8Array): void;
  /** Told of each flow that could not be had, or that broke. */
  onFailure(key: string, error: Error): void;
}

/** Bytes that may wait in a flow for its other end; what comes beyond is lost, as it would be in a full socket. */
const waitingLimit = 256 * 1024;

interface Flow {
  readonly waiting: Uint8Array[];
  waitingBytes: number;
  stream: Duplex | undefined;
  sending: boolean;
}

/** Carries datagrams over streams, one for each of several peers, which are opened when they are first needed and end when their other end does. */
export class DatagramFlows {
  readonly #limit: number;
  readonly #deps: DatagramFlowsDeps;
  readonly #closing = new AbortController();
  /** The one used longest ago first. */
  readonly #flows = new Map<string, Flow>();
  readonly #running = new Set<Promise<void>>();

  /** At most `limit` flows are open at a time: one more ends the one that was used longest ago. */
  constructor(limit: number, deps: DatagramFlowsDeps) {
    this.#limit = limit;
    this.#deps = deps;
  }

  /** Flows that are open. */
  get size(): number {
    return this.#flows.size;
  }

  /** Sends a datagram to a peer; `datagram` may be reused at once. */
  send(key: string, datagram: Uint8Array): void {
    if (this.#closing.signal.aborted) return;
    const flow = this.#flows.get(key) ?? this.#open(key);
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    if (flow.waitingBytes + datagram.length > waitingLimit) return;
    flow.waiting.push(frameDatagram(datagram));
    flow.waitingBytes += datagram.length;
    void this.#sendWaiting(flow);
  }

  /** Ends all flows. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { stream } of this.#flows.values()) stream?.reset();
    await Promise.all(this.#running);
  }

  #open(key: string): Flow {
    if (this.#flows.size >= this.#limit) this.#endOldest();
    const flow: Flow = { waiting: [], waitingBytes: 0, stream: undefined, sending: false };
    this.#flows.set(key, flow);
    const running: Promise<void> = this.#run(key, flow).catch((error) => {
      if (this.#flows.get(key) === flow && !this.#closing.signal.aborted) this.#deps.onFailure(key, error);
    }).finally(() => {
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
      flow.stream?.close();
      this.#running.delete(running);
    });
    this.#running.add(running);
    return flow;
  }

  async #run(key: string, flow: Flow): Promise<void> {
    const stream = await this.#deps.dial(key, this.#closing.signal);
    flow.stream = stream;
    if (this.#flows.get(key) !== flow || this.#closing.signal.aborted) return stream.reset();
    void this.#sendWaiting(flow);
    const splitter = new DatagramSplitter();
    const buffer = new Uint8Array(65536);
    for (let count; (count = await stream.read(buffer)) !== null;) {
      for (const datagram of splitter.push(buffer.subarray(0, count))) this.#deps.onDatagram(key, datagram);
    }
  }

  async #sendWaiting(flow: Flow): Promise<void> {
    const { stream } = flow;
    if (flow.sending || !stream) return;
    flow.sending = true;
    try {
      for (let frame; (frame = flow.waiting.shift());) {
        flow.waitingBytes -= frame.length - 2;
        await stream.write(frame);
      }
      flow.sending = false;
    } catch {
      stream.reset(); // which its reader notices
    }
  }

  #endOldest(): void {
    for (const [key, { stream }] of this.#flows) {
      this.#flows.delete(key);
      return stream?.reset();
    }
  }
}
