/**
 * Claims about figures that the machine's load can spoil: quality over a simulated line, milliseconds, shares of a core.
 * One attempt that keeps the limits shows that the code can; a real fault misses them in every attempt.
 */
import { AssertionError } from 'node:assert/strict';
import type { TestContext } from 'node:test';

/** A figure is outside of its limit, which a busy machine may be the reason of. */
export class MissedLimit extends AssertionError {}

/**
 * Checks a figure within {@link shownOnce}; what no load excuses is checked with node:assert, and fails at once.
 * @throws MissedLimit with the message, which names the figure
 */
export function limit(kept: boolean, message: string): asserts kept {
  if (!kept) throw new MissedLimit({ message, actual: kept, expected: true, operator: 'limit', stackStartFn: limit });
}

/**
 * Measures until all limits are kept, a few times at most; each miss is told as a diagnostic line of the test.
 * @param measure sets up what it needs, measures, checks with {@link limit} and cleans up: attempts share nothing
 * @throws MissedLimit of the last attempt; any other error of `measure` at once
 */
export async function shownOnce<T>(
  t: Pick<TestContext, 'diagnostic'>,
  measure: () => Promise<T>,
  attempts = 3,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await measure();
    } catch (error) {
      if (!(error instanceof MissedLimit)) throw error;
      t.diagnostic(`attempt ${attempt} of ${attempts}: ${error.message}`);
      if (attempt >= attempts) throw error;
    }
  }
}
