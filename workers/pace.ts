/**
 * How often a shard with many peers lets itself be woken.
 *
 * Each time native threads wake the loop, it looks at every handle of the addon, at least three for each peer, whichever of
 * them has news: some 0.1 us each, as they lie all over memory. With a thousand peers that is more than all else that a packet
 * costs. So after a turn with packets such a shard rests for a moment, and takes what came meanwhile in one turn.
 */

/** Milliseconds from one turn to the next, for each peer: looking at its handles takes less than a tenth of that. */
const PER_PEER = 0.004;
/** Shorter ones save less than falling asleep costs. */
const SHORTEST = 1;
/** The delay that nobody hears or sees: a browser sends the packets of a picture over more. */
const LONGEST = 5;
/** Milliseconds that a rest is too long, smoothed, where others want the processor: who lets go of it there waits for it. */
const OVERSLEEP_MAX = 1;
const SMOOTHING = 0.1;
/** Milliseconds without a rest after that. */
const BUSY_MACHINE = 1000;

/** @returns milliseconds from the start of a turn to that of the next one; 0: whenever there is news */
export function turnOf(peers: number): number {
  const turn = peers * PER_PEER;
  return turn < SHORTEST ? 0 : Math.min(turn, LONGEST);
}

export class Pace {
  /** Nothing ever wakes it: a wait on it is a sleep. */
  private readonly cell = new Int32Array(new SharedArrayBuffer(4));
  private readonly peers: () => number;
  private ending = false;
  private began = 0;
  private slept = 0;
  private overslept = 0;
  private restsFrom = 0;

  constructor(peers: () => number) {
    this.peers = peers;
  }

  /** Milliseconds in all that the thread has rested. */
  get rested(): number {
    return this.slept;
  }

  /** A packet came. @param now milliseconds of `performance.now()` */
  packet(now: number): void {
    if (this.ending || now < this.restsFrom || turnOf(this.peers()) === 0) return;
    this.ending = true;
    this.began = now;
    setImmediate(this.endTurn);
  }

  private readonly endTurn = (): void => {
    this.ending = false;
    const now = performance.now();
    // A shard that is busy for longer than that doesn't rest.
    const left = this.began + turnOf(this.peers()) - now;
    if (left <= 0) return;
    Atomics.wait(this.cell, 0, 0, left);
    const rest = performance.now() - now;
    this.slept += rest;
    this.overslept += (rest - left - this.overslept) * SMOOTHING;
    if (this.overslept <= OVERSLEEP_MAX) return;
    this.overslept = 0;
    this.restsFrom = now + BUSY_MACHINE;
  };
}
