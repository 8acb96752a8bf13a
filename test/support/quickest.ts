/**
 * Milliseconds of the quickest of a few runs: what the work itself takes, whatever else the machine does meanwhile.
 * @param work does the same each time
 */
export function quickest(work: () => unknown, runs = 20): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
