/** Milliseconds without a beat until a worker counts as stuck; it beats 20 times a second. */
const STALE_AFTER = 1500;

/** Whether workers still run, by their heartbeats in shared memory: counters that a live worker's loop counts up. */
export class Heartbeats {
  readonly #last: { beats: number; seen: number }[] = [];

  /**
   * Looks at all workers. Fresh is whoever beat since the last look, however long that is ago.
   *
   * @param beats each worker's counter now; null = it is not running
   * @param now milliseconds, monotonic
   * @returns the numbers of those that are not running, or have not beaten for 1.5 s
   */
  stale(beats: readonly (number | null)[], now: number): number[] {
    return beats.flatMap((count, worker) => {
      const last = this.#last[worker];
      if (count === null) {
        delete this.#last[worker];
        return [worker];
      }
      if (last?.beats !== count) this.#last[worker] = { beats: count, seen: now };
      return last?.beats === count && now - last.seen > STALE_AFTER ? [worker] : [];
    });
  }
}
