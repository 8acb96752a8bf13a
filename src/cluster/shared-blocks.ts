import { z } from 'zod';
import type { Log } from '../observability/log.js';
import type { BlockStore } from '../sfu/block-store.js';
import type { Bucket, Entry } from './bucket.js';
import { keyOf } from './directory.js';
import { LiftedBlocks } from './lifted-blocks.js';

/** What the cluster knows of one pair: a lifted block stays there for a while, so that a node that was away learns of it. */
export interface SharedBlock {
  blocker: string;
  blocked: string;
  /** False: lifted. */
  active: boolean;
  /** The node that said so, and the how manieth change of its own it was. */
  node: string;
  serial: number;
}

const record = z.object({
  blocker: z.string(),
  blocked: z.string(),
  active: z.boolean(),
  node: z.string(),
  serial: z.number().default(0),
});

/** Changes that wait for NATS to be back; with more the oldest are in this node's own store alone. */
const WAITING_MAX = 100_000;
/** Milliseconds for which whoever blocks waits for NATS: with an answer after that it is passed on later. */
const PATIENCE = 500;
/** Pairs of which it is remembered that NATS has them. */
const SAID_MAX = 100_000;

type SharedBucket = Pick<Bucket, 'put' | 'create' | 'remove'>;

export interface SharedBlocksParts {
  self: string;
  local: BlockStore;
  log: Log;
  /** Told of what another node changed, once this one's store has it. */
  changed: (block: SharedBlock) => void;
}

function keyOfPair({ blocker, blocked }: Pick<SharedBlock, 'blocker' | 'blocked'>): string {
  return keyOf(blocker, blocked);
}

/**
 * The blocks of all nodes: each has all of them in its own store, and what one changes goes to the others through a
 * bucket. Without NATS a change works here at once, and is passed on when it is back.
 */
export class SharedBlocks implements BlockStore {
  readonly #parts: SharedBlocksParts;
  readonly #bucket: SharedBucket;
  readonly lifted: LiftedBlocks;
  readonly #waiting = new Map<string, SharedBlock>();
  /** Those of them that NATS is being told of just now. */
  readonly #sending = new Set<SharedBlock>();
  readonly #said = new Set<string>();
  #serial = 0;
  /** Whether all that there was when NATS came has been read. */
  #current = false;
  counters = { shared: 0, learned: 0, forgotten: 0 };

  /** @param bucket makes the bucket that this listens to */
  constructor(
    parts: SharedBlocksParts,
    bucket: (listener: { entry(entry: Entry): void; complete(): void }) => SharedBucket,
  ) {
    this.#parts = parts;
    this.#bucket = bucket({ entry: (entry) => this.#learn(entry), complete: () => this.#complete() });
    this.lifted = new LiftedBlocks(this.#bucket);
  }

  /** Changes that NATS does not have yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @inheritdoc */
  blockedBy(blocker: string): string[] {
    const all = this.#parts.local.blockedBy(blocker);
    // From before the cluster, or from a time when this node ended without NATS: the others have not heard of them.
    for (const blocked of all) if (!this.#said.has(keyOf(blocker, blocked))) void this.#offer(blocker, blocked);
    return all;
  }

  /** @inheritdoc */
  async put(blocker: string, blocked: string): Promise<void> {
    await Promise.all([this.#parts.local.put(blocker, blocked), patiently(this.#share(blocker, blocked, true))]);
  }

  /** @inheritdoc */
  async remove(blocker: string, blocked: string): Promise<void> {
    await Promise.all([this.#parts.local.remove(blocker, blocked), patiently(this.#share(blocker, blocked, false))]);
  }

  /** @inheritdoc */
  close(): Promise<void> {
    return this.#parts.local.close();
  }

  /** NATS is away: what comes when it is back was there before, or not. */
  lost(): void {
    this.#current = false;
    this.lifted.lost();
  }

  /** Tries again what NATS has not taken, though it is there, and keeps its bound; to be called every few seconds. */
  sweep(): void {
    if (!this.#current) return;
    this.#shareWaiting();
    void this.lifted.sweep();
  }

  #shareWaiting(): void {
    for (const block of [...this.#waiting.values()]) {
      if (!this.#sending.has(block)) void this.#send(block);
    }
  }

  #share(blocker: string, blocked: string, active: boolean): Promise<void> {
    const block = this.#change(blocker, blocked, active);
    this.#waiting.set(keyOfPair(block), block);
    return this.#send(block);
  }

  #change(blocker: string, blocked: string, active: boolean): SharedBlock {
    this.#serial += 1;
    return { blocker, blocked, active, node: this.#parts.self, serial: this.#serial };
  }

  async #send(block: SharedBlock): Promise<void> {
    const key = keyOfPair(block);
    this.#sending.add(block);
    try {
      await this.#bucket.put(key, JSON.stringify(block));
      this.counters.shared += 1;
      if (this.#waiting.get(key) === block) this.#waiting.delete(key);
    } catch {
      // It waits until NATS takes it; here it works already.
      const [oldest] = this.#waiting.keys();
      if (this.#waiting.size <= WAITING_MAX || oldest === undefined) return;
      this.#waiting.delete(oldest);
      this.counters.forgotten += 1;
    } finally {
      this.#sending.delete(block);
    }
  }

  async #offer(blocker: string, blocked: string): Promise<void> {
    if (!this.#current) return;
    const key = keyOf(blocker, blocked);
    this.#remember(key);
    try {
      await this.#bucket.create(key, JSON.stringify(this.#change(blocker, blocked, true)));
    } catch {
      this.#said.delete(key);
    }
  }

  #remember(key: string): void {
    this.#said.add(key);
    const [oldest] = this.#said;
    if (this.#said.size > SAID_MAX && oldest !== undefined) this.#said.delete(oldest);
  }

  #learn({ key, text, revision, deleted }: Entry): void {
    if (deleted) return;
    const block = readBlock(text);
    if (!block || keyOfPair(block) !== key) return;
    this.lifted.learn(key, revision, !block.active);
    this.#remember(key);
    const waiting = this.#waiting.get(key);
    // NATS has taken it, though it did not say so in time: what comes after this is newer.
    if (block.node === this.#parts.self && block.serial === waiting?.serial) this.#waiting.delete(key);
    // What was changed here while NATS was away is newer: it is passed on as soon as all is read.
    if (waiting || (this.#current && block.node === this.#parts.self)) return;
    const { local, log, changed } = this.#parts;
    const { blocker, blocked, active } = block;
    // Most of what comes when NATS is back was known before: nobody is told of it again.
    if (local.blockedBy(blocker).includes(blocked) === active) return;
    this.counters.learned += 1;
    const saved = active ? local.put(blocker, blocked) : local.remove(blocker, blocked);
    saved.catch((error: unknown) =>
      log('error', 'a block of another node could not be saved', {
        user: blocker,
        whom: blocked,
        error: String(error),
      }),
    );
    changed(block);
  }

  #complete(): void {
    this.#current = true;
    this.#shareWaiting();
  }
}

/** Resolves with what never rejects, or when that takes long. */
function patiently(shared: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE);
    void shared.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function readBlock(text: string): SharedBlock | null {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
