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
   * @returns the share of time that the loop does not wait for work, 0..1, smoothed
   */
  look(times: LoopTimes, now: number): number {
    const active = times.active - this.last.active;
    const all = active + times.idle - this.last.idle;
    if (all > 0) {
      const weight = 1 - Math.exp(-(now - this.at) / MEMORY);
      this.smoothed += (active / all - this.smoothed) * weight;
    }
    this.last = { idle: times.idle, active: times.active };
    this.at = now;
    return this.smoothed;
  }
}
