/** Video that is left out while the shard can't keep up: always that of the same subscriptions, so that few are hit. */
import { KIND_VIDEO } from './layout';
import { UpTrack } from './records';

/** Subscriptions whose mixed index is below this get no video; of 2^32. */
let shedBelow: u64 = 0;

/** @param share 0..1 of the video subscriptions */
export function setShedding(share: f64): void {
  shedBelow = share > 0 ? <u64>(min<f64>(share, 1) * 4294967296.0) : 0;
}

/** Whether a subscription of this up track gets nothing now. */
export function isShed(up: UpTrack, downIndex: i32): bool {
  if (shedBelow == 0 || up.kind != KIND_VIDEO) return false;
  // Knuth's multiplicative hash: neighbours in the table, which are subscribers of one room, are far apart.
  return <u64>(<u32>(downIndex + 1) * 2654435761) < shedBelow;
}
