/** Lets `burst` things through at once and `rate` a second in the long run. Time is an argument, in milliseconds. */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param rate tokens a second
   * @param burst most tokens that are saved up
   */
  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Takes tokens, into debt if need be: what has come is served, what comes next waits. */
  take(count: number, now: number): void {
    this.#fill(now);
    this.#tokens -= count;
  }

  /** Milliseconds until there is a token again; 0 = now. */
  wait(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#rate) * 1000);
  }

  /** Whether it is as if nothing had ever been taken. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#burst;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate);
    this.#filledAt = now;
  }
}
