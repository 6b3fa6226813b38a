/** One piece of work that several wait for; it is called off when none of them wants it any more. */
export class SharedRun<T> {
  readonly #result: Promise<T>;
  readonly #controller = new AbortController();
  #waiting = 0;

  /** Begins at once. */
  constructor(run: (signal: AbortSignal) => Promise<T>) {
    this.#result = run(this.#controller.signal);
  }

  /** Waits for the result, or until `signal` aborts. */
  async join(signal: AbortSignal): Promise<T> {
    this.#waiting++;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      if (--this.#waiting === 0) this.#controller.abort(signal.reason);
    }
  }
}
