/** Lets the network of network.ts, made for virtual time, run beside the wall clock. */
import { Clock } from './network.js';

export class RealTime {
  readonly clock = new Clock(performance.now());
  /** The longest that something due had to wait for this process, milliseconds. */
  worstDelay = 0;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #stopped = false;

  /** Does all that is due by now. To be called before a packet is given to a link of the clock. */
  catchUp(): void {
    // What a packet sets off as it arrives belongs to the moment of its arrival.
    if (this.#running || this.#stopped) return;
    this.#running = true;
    const now = performance.now();
    const { next } = this.clock;
    if (next !== null) this.worstDelay = Math.max(this.worstDelay, now - next);
    this.clock.run(now - this.clock.now);
    this.#running = false;
  }

  /** Sees to it that what is due next happens. To be called after a packet was given to a link. */
  arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    // What has no delay arrives now, and not after a timer's millisecond.
    this.catchUp();
    const { next } = this.clock;
    if (next === null || this.#stopped || this.#running) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(next - performance.now(), 0));
  }

  /** For good: what is still on its way never arrives. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    this.catchUp();
    this.arm();
  }
}
