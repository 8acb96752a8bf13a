/** Counts durations in bins that are 2 % wide: a quantile costs no memory per value and no sorting. Pure. */

/** Milliseconds: what is shorter counts as this. */
const LEAST = 0.01;
const WIDTH = Math.log(1.02);
/** The last one begins at about a minute; what is longer is counted in it. */
const BINS = 790;

/** Milliseconds; NaN where nothing was counted. */
export interface Quantiles {
  p50: number;
  p99: number;
  worst: number;
}

export class Histogram {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;
  #worst = Number.NaN;

  get count(): number {
    return this.#count;
  }

  /** @param milliseconds any finite number; clocks may make it a little less than 0 */
  add(milliseconds: number): void {
    const bin = milliseconds <= LEAST ? 0 : Math.min(BINS - 1, Math.floor(Math.log(milliseconds / LEAST) / WIDTH));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#count += 1;
    if (!(milliseconds <= this.#worst)) this.#worst = milliseconds;
  }

  clear(): void {
    this.#bins.fill(0);
    this.#count = 0;
    this.#worst = Number.NaN;
  }

  /** @param share 0..1. Returns the middle of the bin in which that share of the values is reached, milliseconds. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      seen += this.#bins[bin] ?? 0;
      if (seen >= wanted) return Math.min(this.#worst, LEAST * Math.exp((bin + 0.5) * WIDTH));
    }
    return Number.NaN;
  }

  quantiles(): Quantiles {
    return { p50: this.quantile(0.5), p99: this.quantile(0.99), worst: this.#worst };
  }
}
