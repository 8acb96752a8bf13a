/** How long to wait before trying again. */
export interface BackOff {
  /** Milliseconds before the first attempt. */
  firstMs: number;
  /** Milliseconds that no pause exceeds, jitter aside. */
  longestMs: number;
}

/** The pauses of a client that was not told others: 0.5 s, doubling up to 8 s. */
export const BACK_OFF: BackOff = { firstMs: 500, longestMs: 8_000 };

/**
 * The pause before attempt `failures` + 1: doubling, ± 30 % so that a server's clients spread out.
 *
 * @param random 0 (included) to 1 (excluded)
 * @returns milliseconds
 */
export function retryDelay(failures: number, random: number, { firstMs, longestMs }: BackOff = BACK_OFF): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30)) * (0.7 + 0.6 * random);
}

/** Pauses that can be cut short. */
export class Pauses {
  readonly #ends = new Set<() => void>();

  /** Waits; less if `cut` is called meanwhile. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#ends.add(end);
    });
  }

  cut(): void {
    for (const end of [...this.#ends]) end();
  }
}
