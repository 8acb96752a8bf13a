/**
 * Whether a publisher talks, from the levels that its packets tell (RFC 6464): nothing is decoded. Pure: a look every few
 * milliseconds, with the loudest level since the one before.
 */

export interface Talking {
  talking: boolean;
  /** Smoothed, 0 (silence) .. 127 (as loud as can be): 127 plus the level in dBov. */
  loudness: number;
  /** Looks in a row that were too quiet for talking. */
  quiet: number;
}

export const newTalking = (): Talking => ({ talking: false, loudness: 0, quiet: 0 });

/** -40 dBov: louder is talking. Below -50 is not; in between is what it was. */
const LOUD = 87;
const QUIET = 77;
/** How fast it is believed to be louder, and quieter: a click is no word, a pause between words no silence. */
const RISE = 0.4;
const FALL = 0.15;
/** Quiet looks until talking is over. */
const PAUSE = 8;

/**
 * @param loudness 0..127, the loudest since the last look; 0: no packet came, as nothing is sent in silence (DTX)
 * @returns whether `talking` changed
 */
export function listen(state: Talking, loudness: number): boolean {
  state.loudness += (loudness - state.loudness) * (loudness > state.loudness ? RISE : FALL);
  state.quiet = state.loudness < QUIET ? state.quiet + 1 : 0;
  const talking = state.talking ? state.quiet < PAUSE : state.loudness >= LOUD;
  if (talking === state.talking) return false;
  state.talking = talking;
  return true;
}
