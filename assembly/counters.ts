import { COUNTERS_START } from './layout';

/** Adds to one of the shard's counters. Only the shard writes them; other threads read aligned 64-bit values. */
export function count(counter: i32, step: u64 = 1): void {
  const address = COUNTERS_START + (counter << 3);
  store<u64>(address, load<u64>(address) + step);
}

/** Counts a drop and returns its verdict. */
export function drop(verdict: i32): i32 {
  count(verdict);
  return verdict;
}
