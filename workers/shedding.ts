/**
 * How much video a shard leaves out while it can't keep up, so that audio and data do not wait. Pure: a look at each tick,
 * with how late the tick was.
 */

export interface Shedding {
  /** The share of video subscriptions that get nothing, 0..SHARE_MAX. */
  share: number;
  /** Smoothed lateness, milliseconds. */
  lag: number;
  /** When the share last changed. */
  changedAt: number;
}

export const newShedding = (): Shedding => ({ share: 0, lag: 0, changedAt: Number.NEGATIVE_INFINITY });

/** How fast a lateness is believed: a collection of garbage is no overload. */
const SMOOTHING = 0.15;
/** Steps up and down, and milliseconds until a step has shown what it does. Down is slower: it starts with keyframes. */
const STEP_UP = 0.15;
const STEP_DOWN = 0.05;
const UP_INTERVAL = 500;
const DOWN_INTERVAL = 2000;
/** Somebody always gets a picture. */
const SHARE_MAX = 0.9;
/** Below this part of the limit the shard has room again. */
const ROOM = 0.3;

/**
 * @param late milliseconds that a tick came after its time
 * @param limit milliseconds of smoothed lateness from which on video is left out; 0 = never
 * @returns whether `share` changed
 */
export function shed(state: Shedding, late: number, limit: number, now: number): boolean {
  state.lag += (late - state.lag) * SMOOTHING;
  const before = state.share;
  const since = now - state.changedAt;
  if (limit > 0 && state.lag > limit && since >= UP_INTERVAL) state.share = Math.min(SHARE_MAX, before + STEP_UP);
  else if (before > 0 && (limit === 0 || state.lag < limit * ROOM) && since >= DOWN_INTERVAL) {
    state.share = Math.max(0, before - STEP_DOWN);
  }
  if (state.share === before) return false;
  state.changedAt = now;
  return true;
}
