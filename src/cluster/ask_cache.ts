import type { Clock } from "../platform/clock.ts";

/** How long an answer is good, in milliseconds since it came. */
export interface Lifetime {
  /** Until then it is given out as it is. */
  readonly fresh: number;
  /** Until then it is given out and asked for anew in the background; from then on the next one waits for a new answer. */
  readonly usable: number;
}

/** Entries of a cache; beyond that the first one goes. An answer is a few hundred bytes. */
const capacity = 2_000;

interface Entry<V> {
  answer: { readonly value: V; readonly at: number; readonly lifetime: Lifetime } | undefined;
  pending: Promise<V> | undefined;
}

/**
 * Answers of the API server, kept for a while. Those who ask for the same thing at the same time share one question; a question goes on
 * when they lose interest, until `signal` aborts, for the next one will want the answer. Failures are not kept: while an old answer is
 * usable it stays, otherwise everyone who waits gets the failure.
 */
export class AskCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #lifetime: (value: V) => Lifetime;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(
    lifetime: (value: V) => Lifetime,
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#lifetime = lifetime;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** The answer for `key`, from here or by `ask`. `signal` ends the waiting, not the question. */
  async get(key: string, ask: (signal: AbortSignal) => Promise<V>, signal: AbortSignal): Promise<V> {
    const entry = this.#entry(key);
    const { answer } = entry;
    const age = answer ? this.#clock.now() - answer.at : Infinity;
    if (answer && age < answer.lifetime.fresh) return answer.value;
    const question = entry.pending ?? this.#ask(key, entry, ask);
    if (answer && age < answer.lifetime.usable) return answer.value;
    return await abortable(question, signal);
  }

  /** The last answer for `key`, however old. */
  peek(key: string): V | undefined {
    return this.#entries.get(key)?.answer?.value;
  }

  #entry(key: string): Entry<V> {
    const known = this.#entries.get(key);
    if (known) return known;
    for (const [oldest, { pending }] of this.#entries) {
      if (this.#entries.size < capacity) break;
      if (!pending) this.#entries.delete(oldest);
    }
    const entry: Entry<V> = { answer: undefined, pending: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #ask(key: string, entry: Entry<V>, ask: (signal: AbortSignal) => Promise<V>): Promise<V> {
    const question = ask(this.#signal).then((value) => {
      entry.answer = { value, at: this.#clock.now(), lifetime: this.#lifetime(value) };
      return value;
    }).finally(() => {
      entry.pending = undefined;
      if (!entry.answer) this.#entries.delete(key);
    });
    // Whoever waits hears of the failure; a question that nobody waits for any more must not end the process.
    question.catch(() => {});
    entry.pending = question;
    return question;
  }
}

function abortable<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
