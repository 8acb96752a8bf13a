/** Milliseconds that a worker has to run until its end counts as the first of its kind. */
const STEADY = 10_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/** When to start a worker again that ended. One that keeps dying soon is started less and less often: no core spins. */
export class Restarts {
  #startedAt = Number.NEGATIVE_INFINITY;
  /** Ends in a row that came soon after their start. */
  #soon = 0;

  /** @param now milliseconds, monotonic */
  started(now: number): void {
    this.#startedAt = now;
  }

  /** It ended, or did not even start. */
  ended(now: number): void {
    this.#soon = now - this.#startedAt < STEADY ? this.#soon + 1 : 0;
    this.#startedAt = now;
  }

  /** Milliseconds to wait before the next start: none after a worker that ran for a while, else 0.5 s to 30 s. */
  get wait(): number {
    return this.#soon === 0 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#soon - 1));
  }
}
