import type { Bucket } from './bucket.js';

/** Lifted blocks that stay in NATS, for nodes that are away and have to hear of them. */
export const LIFTED_MAX = 10_000;
/** Those that are removed in one sweep, at most. */
export const REMOVALS_MAX = 500;
/** Those that are known, at most: with more, NATS does not remove as fast as they come, and the oldest stay there. */
const KNOWN_MAX = 100_000;

/**
 * The lifted blocks in NATS, oldest first. Whoever blocks and lifts made-up ids could fill NATS with them: the oldest
 * are removed for good. Each node does so, as it is no harm to remove what another has removed.
 */
export class LiftedBlocks {
  readonly #bucket: Pick<Bucket, 'remove'>;
  /** Their revisions, by key. */
  readonly #revisions = new Map<string, number>();
  #removing = false;
  counters = { removed: 0, failed: 0 };

  constructor(bucket: Pick<Bucket, 'remove'>) {
    this.#bucket = bucket;
  }

  get size(): number {
    return this.#revisions.size;
  }

  /** NATS holds this of a block, newer than all that was told before; a block that is there again is not lifted. */
  learn(key: string, revision: number, lifted: boolean): void {
    this.#revisions.delete(key);
    if (!lifted) return;
    this.#revisions.set(key, revision);
    const [oldest] = this.#revisions.keys();
    if (this.#revisions.size > KNOWN_MAX && oldest !== undefined) this.#revisions.delete(oldest);
  }

  /** NATS is away: all that it holds is told of when it is back. */
  lost(): void {
    this.#revisions.clear();
  }

  /** Removes the oldest of those that are too many; what fails is tried again the next time. Never rejects. */
  async sweep(): Promise<void> {
    const excess = Math.min(this.#revisions.size - LIFTED_MAX, REMOVALS_MAX);
    if (excess <= 0 || this.#removing) return;
    this.#removing = true;
    const oldest = [...this.#revisions].slice(0, excess);
    await Promise.all(oldest.map(([key, revision]) => this.#remove(key, revision)));
    this.#removing = false;
  }

  async #remove(key: string, revision: number): Promise<void> {
    try {
      if (await this.#bucket.remove(key, revision)) this.counters.removed += 1;
      // It may have been blocked and lifted again meanwhile.
      if (this.#revisions.get(key) === revision) this.#revisions.delete(key);
    } catch {
      this.counters.failed += 1;
    }
  }
}
