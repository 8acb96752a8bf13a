/** Which shard a new handle's peer lives on. Pure: loads and hints in, a number out. */
import type { ShardNumber } from '../../workers/protocol.js';

/**
 * - `auto`: the room's home, else near the session's other handles, else as `loop_index` says, else the least loaded; the
 *   least loaded instead of one that is near saturation.
 * - `spread`: every handle on the next shard in turn, so that a room's peers live apart.
 * - `together`: everybody on shard 0.
 */
export type PlacementPolicy = 'auto' | 'spread' | 'together';

/**
 * - `auto`: a publisher's subscribers live on its shard; more shards join in when that is near saturation.
 * - `spread`: every subscriber on the next shard in turn.
 * - `off`: always on the publisher's shard.
 */
export type FanOutPolicy = 'auto' | 'spread' | 'off';

export interface PlacementHint {
  /** The shard of the room's first publisher, if the room is known. */
  home?: ShardNumber;
  /** Where the session's other handles live, and those whose URL names the same room. */
  near?: ShardNumber[];
  /** The client's `loop_index` (Janus' attach), 0..: naf-janus-adapter spreads its users with it. */
  loopIndex?: number;
}

/** Shares of a shard's time, each about: what it does not have is worth a second wake-up per packet, or a room in two. */
const HEADROOM = 0.25;
/** A shard that was near saturation has room again only so far below the limit. */
const HYSTERESIS = 0.15;

interface Loaded {
  shard: ShardNumber;
  load: number;
}

const living = (loads: readonly (number | null)[]): Loaded[] =>
  loads.flatMap((load, shard) => (load === null ? [] : [{ shard, load }]));

const leastLoaded = (all: readonly Loaded[]): Loaded | undefined =>
  all.reduce<Loaded | undefined>((least, one) => (least && least.load <= one.load ? least : one), undefined);

/**
 * @param loads what share of its time each living shard works, 0..1; the index is the shard, null a shard that is down
 * @param turn counts placements, for `spread`
 * @param limit the load from which on a shard is near saturation
 */
export function choosePlacement(
  policy: PlacementPolicy,
  hint: PlacementHint,
  loads: readonly (number | null)[],
  turn: number,
  limit: number,
): ShardNumber {
  const alive = living(loads);
  const [first] = alive;
  const least = leastLoaded(alive);
  if (!first || !least) throw new Error('No shard is running.');
  if (policy === 'together') return first.shard;
  if (policy === 'spread') return (alive[turn % alive.length] ?? first).shard;
  const { home, near = [], loopIndex } = hint;
  const wished = [home, ...near, loopIndex === undefined ? undefined : loopIndex % loads.length];
  const wish = wished.map((shard) => alive.find((one) => one.shard === shard)).find((one) => one !== undefined);
  if (!wish) return least.shard;
  return wish.load >= limit && least.load <= limit - HEADROOM ? least.shard : wish.shard;
}

/** Where a publisher lives, and which other shards carry some of its subscribers already. */
export interface SubscriberHint {
  home: ShardNumber;
  mirrors: ReadonlySet<ShardNumber>;
}

/** Where a new subscriber of a publisher lives: loads, turn and limit as for {@link choosePlacement}. */
export function placeSubscriber(
  policy: FanOutPolicy,
  { home, mirrors }: SubscriberHint,
  loads: readonly (number | null)[],
  turn: number,
  limit: number,
): ShardNumber {
  const alive = living(loads);
  if (policy === 'off' || alive.length === 0) return home;
  if (policy === 'spread') return (alive[turn % alive.length] ?? { shard: home }).shard;
  const here = alive.find(({ shard }) => shard === home);
  // What is fanned out already goes home only when there is clearly room again: a mirror that comes and goes costs keyframes.
  if (!here || here.load < limit - (mirrors.size > 0 ? HYSTERESIS : 0)) return home;
  const carrying = leastLoaded(alive.filter(({ shard }) => shard === home || mirrors.has(shard))) ?? here;
  if (carrying.load < limit) return carrying.shard;
  const other = leastLoaded(alive);
  return other && other.load <= limit - HEADROOM ? other.shard : carrying.shard;
}
