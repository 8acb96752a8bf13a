/** Whether a server is, at the end of a soak, as it was at its beginning. Pure. */
import { EMPTY_TABLES, type RestingState } from './state.js';

/** What may differ from the first rest to the last: caches warm up, the allocator keeps pages. */
const ALLOWED = { residentShare: 0.25, heapMib: 6, files: 3, threads: 2, timers: 2 };
/** Tables that hold nothing when nobody is there. (Each engine keeps a slot of its history for itself.) */
const EMPTY: Readonly<Record<string, number>> = Object.fromEntries(EMPTY_TABLES.map((name) => [name, 0]));
/** Growth of the memory that the process wrote, from rest to rest, that counts as a leak, MiB an hour; only over half an hour or more. */
const SLOPE_MAX = 24;
const SLOPE_FROM_SECONDS = 1800;
/**
 * Copies of the addon beside those of living workers: the first one, which the loader never gives back (it has unique symbols of
 * C++), and the one of the last worker that died, which goes with the next.
 */
const IDLE_ADDONS = 2;

/** Growth an hour, by the least squares over the rests. */
export function slopeOf(rests: readonly RestingState[], read: (state: RestingState) => number): number {
  const times = rests.map(({ at }) => at / 3600);
  const values = rests.map(read);
  const middle = times.reduce((sum, time) => sum + time, 0) / times.length;
  const spread = times.reduce((sum, time) => sum + (time - middle) ** 2, 0);
  const joint = times.reduce((sum, time, index) => sum + (time - middle) * (values[index] ?? 0), 0);
  return spread === 0 ? 0 : joint / spread;
}

/**
 * @param rests the states at which nobody was there, the one after the warm-up first
 * @param workers how many the server has
 * @returns a text for each thing that is not as it was
 */
export function complaints(rests: readonly RestingState[], workers: number): string[] {
  const [first] = rests;
  const last = rests.at(-1);
  if (!first || !last || rests.length < 2) return ['there were not two rests to compare'];
  const found: string[] = [];
  for (const { at, tables } of rests) {
    for (const [name, value] of Object.entries(tables)) {
      if (value !== (EMPTY[name] ?? first.tables[name])) found.push(`${name} is ${value} at ${at.toFixed(0)} s`);
    }
  }
  const grown = (name: string, read: (state: RestingState) => number, most: number) => {
    if (read(last) > most) found.push(`${name}: ${read(first).toFixed(1)} became ${read(last).toFixed(1)}`);
  };
  grown('resident MiB', ({ resident }) => resident, first.resident * (1 + ALLOWED.residentShare));
  grown('heap MiB', ({ heap }) => heap, first.heap + ALLOWED.heapMib);
  grown('open files', ({ files }) => files, first.files + ALLOWED.files);
  grown('threads', ({ threads }) => threads, first.threads + ALLOWED.threads);
  grown('timers', ({ timers }) => timers, first.timers + ALLOWED.timers);
  grown('copies of the addon', ({ addons }) => addons, workers + IDLE_ADDONS);
  const slope = slopeOf(rests, ({ anonymous }) => anonymous);
  if (last.at - first.at >= SLOPE_FROM_SECONDS && slope > SLOPE_MAX) {
    found.push(`memory grows by ${slope.toFixed(1)} MiB an hour`);
  }
  return found;
}
