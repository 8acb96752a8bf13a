/** Which shard a new handle's peer lives on. Pure: loads and hints in, a number out. */
import type { ShardNumber } from '../../workers/protocol.js';

/**
 * - `auto`: the room's home, else near the session's other handles, else as `loop_index` says, else the least loaded.
 * - `spread`: every handle on the next shard in turn, so that a room's peers live apart.
 * - `together`: everybody on shard 0.
 */
export type PlacementPolicy = 'auto' | 'spread' | 'together';

export interface PlacementHint {
  /** The shard of the room's first publisher, if the room is known. */
  home?: ShardNumber;
  /** Where the session's other handles live, and those whose URL names the same room. */
  near?: ShardNumber[];
  /** The client's `loop_index` (Janus' attach), 0..: naf-janus-adapter spreads its users with it. */
  loopIndex?: number;
}

/**
 * @param loads what each living shard has to do, in any one unit; the index is the shard, null a shard that is down
 * @param turn counts placements, for `spread`
 */
export function choosePlacement(
  policy: PlacementPolicy,
  hint: PlacementHint,
  loads: (number | null)[],
  turn: number,
): ShardNumber {
  const alive = loads.flatMap((load, shard) => (load === null ? [] : [{ shard, load }]));
  const first = alive[0];
  if (!first) throw new Error('No shard is running.');
  const usable = (shard: ShardNumber | undefined) => alive.some((one) => one.shard === shard);
  if (policy === 'together') return first.shard;
  if (policy === 'spread') return (alive[turn % alive.length] ?? first).shard;
  if (hint.home !== undefined && usable(hint.home)) return hint.home;
  const near = hint.near?.find(usable);
  if (near !== undefined) return near;
  if (hint.loopIndex !== undefined && usable(hint.loopIndex % loads.length)) return hint.loopIndex % loads.length;
  return alive.reduce((least, one) => (one.load < least.load ? one : least)).shard;
}
