import { commit, openTable } from './lmdb-table.js';

/** A token that lets nobody in any more. */
export interface Ban {
  /** SHA-256 of the token, in base64url: the token itself is kept nowhere. */
  token: string;
  /** Unix time in seconds from which on it is invalid anyway. */
  expires: number;
}

/** The bans, kept over restarts. */
export interface BanStore {
  all(): Ban[];
  /** Resolves when the change is committed: a crash after that does not lose it. */
  put(ban: Ban): Promise<void>;
  remove(token: string): Promise<void>;
  close(): Promise<void>;
}

/** Forgets all when the process ends. */
export class MemoryBanStore implements BanStore {
  readonly #expiries = new Map<string, number>();

  all(): Ban[] {
    return [...this.#expiries].map(([token, expires]) => ({ token, expires }));
  }

  async put({ token, expires }: Ban): Promise<void> {
    this.#expiries.set(token, expires);
  }

  async remove(token: string): Promise<void> {
    this.#expiries.delete(token);
  }

  async close(): Promise<void> {}
}

/**
 * Opens the store in `folder`, making it if needed.
 *
 * @throws Error of LMDB or of the file system
 */
export function openLmdbBanStore(folder: string): BanStore {
  const db = openTable<number>(folder, 'bans');
  const keyOf = (token: string) => Buffer.from(token, 'base64url');
  return {
    all: () => [...db.getRange({})].map(({ key, value }) => ({ token: key.toString('base64url'), expires: value })),
    async put({ token, expires }) {
      await commit(db, db.put(keyOf(token), expires));
    },
    async remove(token) {
      await commit(db, db.remove(keyOf(token)));
    },
    close: () => db.close(),
  };
}
