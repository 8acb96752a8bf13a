/** Runs the requests of one handle strictly one after the other, in the order in which they came. */
export class RequestQueue {
  readonly #waiting: (() => Promise<void> | void)[] = [];
  readonly #max: number;
  #running = false;

  /** @param max most requests that wait while one runs */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Runs `task` when those before it are done: at once, and still inside this call, if there are none. A task must not
   * reject.
   *
   * @returns false if too many wait already
   */
  push(task: () => Promise<void> | void): boolean {
    if (this.#waiting.length >= this.#max) return false;
    this.#waiting.push(task);
    if (!this.#running) void this.#run();
    return true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) await task();
    } finally {
      this.#running = false;
    }
  }
}
