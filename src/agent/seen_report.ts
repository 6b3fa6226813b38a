import type { Clock } from "../platform/clock.ts";
import type { ControlEvent, Seen } from "./protocol.ts";

/** Milliseconds between two reports, and what is kept for one: more than anybody reads, and less than a control stream is slowed by. */
const interval = 200;
const limit = 400;
/** So many fit into a line. */
const batch = 50;

/** Gathers what came to a laptop and tells it a few times a second; a laptop that does not read is told less. */
export class SeenReport {
  readonly #tell: (event: ControlEvent) => Promise<void>;
  readonly #clock: Clock;
  #waiting: Seen[] = [];
  #missed = 0;
  #due = false;
  #closed = false;
  #cancel = () => {};

  /** `tell` resolves when it is sent. */
  constructor(tell: (event: ControlEvent) => Promise<void>, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  add(seen: Seen): void {
    if (this.#waiting.length < limit) this.#waiting.push(seen);
    else this.#missed++;
    this.#schedule();
  }

  /** Tells nothing more. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#due || this.#closed) return;
    this.#due = true;
    this.#cancel = this.#clock.after(interval, () => void this.#report());
  }

  async #report(): Promise<void> {
    const seen = this.#waiting;
    const missed = this.#missed;
    this.#waiting = [];
    this.#missed = 0;
    for (let at = 0; at < seen.length; at += batch) {
      const last = at + batch >= seen.length;
      await this.#tell({ event: "seen", seen: seen.slice(at, at + batch), missed: last ? missed : 0 });
    }
    this.#due = false;
    if (this.#waiting.length > 0) this.#schedule();
  }
}
