/** How much of its time a shard's loop works, lately. Pure: what Node measures comes in. */

/** Milliseconds after which an older second counts for a third. */
const MEMORY = 1500;

/** Milliseconds in all, as `performance.eventLoopUtilization()` gives them. */
interface LoopTimes {
  idle: number;
  active: number;
}

export class Utilization {
  private last: LoopTimes = { idle: 0, active: 0 };
  private at = Number.NEGATIVE_INFINITY;
  private smoothed = 0;

  /**
   * Called regularly.
   *
   * @param now milliseconds
   * @param rested milliseconds in all that the loop was made to rest (pace.ts), which Node takes for work
   * @returns the share of time that the loop does not wait for work, 0..1, smoothed
   */
  look(times: LoopTimes, now: number, rested = 0): number {
    const active = times.active - rested - this.last.active;
    const all = active + times.idle + rested - this.last.idle;
    if (all > 0) {
      const weight = 1 - Math.exp(-(now - this.at) / MEMORY);
      this.smoothed += (active / all - this.smoothed) * weight;
    }
    this.last = { idle: times.idle + rested, active: times.active - rested };
    this.at = now;
    return this.smoothed;
  }
}
