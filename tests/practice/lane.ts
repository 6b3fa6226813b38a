/** Work that is done one after another, by a worker with a short queue: whoever adds to a full one waits. */
export class Lane {
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #room: () => void = () => {};

  /** Resolves when the work is in the queue. What goes wrong in it is its own affair. */
  async push(work: () => void | Promise<void>): Promise<void> {
    while (this.#waiting >= 50) await new Promise<void>((resolve) => this.#room = resolve);
    this.#waiting++;
    this.#last = this.#last.then(work).catch(() => {}).then(() => {
      this.#waiting--;
      this.#room();
    });
  }
}
