import { createHash } from 'node:crypto';
import { commit, openTable } from './lmdb-table.js';

/** Who has blocked whom, kept between connections. */
export interface BlockStore {
  /** The users that `blocker` has blocked, in no order. */
  blockedBy(blocker: string): string[];
  /** Resolves when the change is committed: a crash after that does not lose it. */
  put(blocker: string, blocked: string): Promise<void>;
  remove(blocker: string, blocked: string): Promise<void>;
  close(): Promise<void>;
}

/** Blocks that end with the process. */
export class MemoryBlockStore implements BlockStore {
  readonly #blocked = new Map<string, Set<string>>();

  blockedBy(blocker: string): string[] {
    return [...(this.#blocked.get(blocker) ?? [])];
  }

  async put(blocker: string, blocked: string): Promise<void> {
    const set = this.#blocked.get(blocker) ?? new Set();
    this.#blocked.set(blocker, set.add(blocked));
  }

  async remove(blocker: string, blocked: string): Promise<void> {
    const set = this.#blocked.get(blocker);
    set?.delete(blocked);
    if (set?.size === 0) this.#blocked.delete(blocker);
  }

  async close(): Promise<void> {}
}

/** Ids may be longer than an LMDB key and hold anything: a key is two digests, the id itself is the value. */
function digest(id: string): Buffer {
  return createHash('sha256').update(JSON.stringify(id)).digest();
}

const DIGEST_LENGTH = 32;

/**
 * Opens the store in `folder`, making it if needed.
 *
 * @throws Error of LMDB or of the file system
 */
export function openLmdbBlockStore(folder: string): BlockStore {
  const db = openTable<string>(folder, 'blocks');
  return {
    blockedBy(blocker) {
      const start = digest(blocker);
      const end = Buffer.concat([start, Buffer.alloc(DIGEST_LENGTH, 0xff)]);
      return [...db.getRange({ start, end }).map(({ value }) => value)];
    },
    async put(blocker, blocked) {
      await commit(db, db.put(Buffer.concat([digest(blocker), digest(blocked)]), blocked));
    },
    async remove(blocker, blocked) {
      await commit(db, db.remove(Buffer.concat([digest(blocker), digest(blocked)])));
    },
    close: () => db.close(),
  };
}
