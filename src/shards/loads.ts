/** What each shard has to do: what it measures itself, and what was placed on it so lately that no measure shows it. Pure. */
import type { ShardNumber } from '../../workers/protocol.js';

/** What a living shard tells (workers/counters.ts). */
export interface MeasuredLoad {
  /** The share of its time that its loop works, 0..1, smoothed over a few seconds. */
  busy: number;
  peers: number;
}

/** Milliseconds after which a third of a placement's load is still to show in what is measured. */
const SHOWS_AFTER = 3000;
/** What a peer takes where none has shown it, and the least and most that one is taken for. */
const PEER = 0.002;
const PEER_LEAST = 0.0005;
const PEER_MOST = 0.02;
/** What a silent peer counts, so that idle shards fill evenly too. */
const SILENT_PEER = 0.00005;

interface Pending {
  load: number;
  at: number;
}

export class ShardLoads {
  readonly #pending: Pending[] = [];

  /**
   * @param measured by shard; null: it is down
   * @param now milliseconds, monotonic
   * @returns what share of its time each shard works or soon will, 0.. ; null: it is down
   */
  estimate(measured: readonly (MeasuredLoad | null)[], now: number): (number | null)[] {
    return measured.map((one, shard) => one && one.busy + this.#left(shard, now) + one.peers * SILENT_PEER);
  }

  /** A peer was placed on a shard; it will work as much as the others there. */
  placed(shard: ShardNumber, measured: MeasuredLoad | null, now: number): void {
    const usual = measured && measured.peers > 0 ? measured.busy / measured.peers : PEER;
    const load = Math.max(PEER_LEAST, Math.min(usual, PEER_MOST));
    this.#pending[shard] = { load: this.#left(shard, now) + load, at: now };
  }

  #left(shard: ShardNumber, now: number): number {
    const pending = this.#pending[shard];
    return pending ? pending.load * Math.exp(-(now - pending.at) / SHOWS_AFTER) : 0;
  }
}
