import type { Log } from '../observability/log.js';
import type { BlockStore } from './block-store.js';

interface Change {
  blocker: string;
  blocked: string;
  kept: boolean;
}

/** Milliseconds until what could not be saved is tried again. */
const RETRY_INTERVAL = 10_000;
/** Changes that wait; with one more the oldest is given up. */
const WAITING_MAX = 100_000;

/**
 * A store whose disk may be full or gone: what can't be saved counts all the same, from memory, and is tried again. The log says so
 * once, and once more when all is saved.
 */
export class BufferedBlockStore implements BlockStore {
  readonly #disk: BlockStore;
  readonly #log: Log;
  /** What the disk does not have, the oldest first; the key is the pair. */
  readonly #waiting = new Map<string, Change>();
  #retry: NodeJS.Timeout | null = null;

  constructor(disk: BlockStore, log: Log) {
    this.#disk = disk;
    this.#log = log;
  }

  /** Changes that a restart would undo. */
  get unsaved(): number {
    return this.#waiting.size;
  }

  blockedBy(blocker: string): string[] {
    const blocked = new Set(this.#read(blocker));
    for (const change of this.#waiting.values()) {
      if (change.blocker !== blocker) continue;
      if (change.kept) blocked.add(change.blocked);
      else blocked.delete(change.blocked);
    }
    return [...blocked];
  }

  put(blocker: string, blocked: string): Promise<void> {
    return this.#change({ blocker, blocked, kept: true });
  }

  remove(blocker: string, blocked: string): Promise<void> {
    return this.#change({ blocker, blocked, kept: false });
  }

  async close(): Promise<void> {
    if (this.#retry) clearTimeout(this.#retry);
    await this.#saveWaiting();
    await this.#disk.close();
  }

  /** What is read from a damaged page is nothing, and no reason to turn a user away. */
  #read(blocker: string): string[] {
    try {
      return this.#disk.blockedBy(blocker);
    } catch (error) {
      this.#log('error', 'blocks can not be read', { user: blocker, reason: String(error) });
      return [];
    }
  }

  async #change(change: Change): Promise<void> {
    const key = JSON.stringify([change.blocker, change.blocked]);
    this.#waiting.delete(key);
    try {
      await this.#save(change);
    } catch (error) {
      this.#wait(key, change, error);
      throw error;
    }
  }

  #save({ blocker, blocked, kept }: Change): Promise<void> {
    return kept ? this.#disk.put(blocker, blocked) : this.#disk.remove(blocker, blocked);
  }

  #wait(key: string, change: Change, error: unknown): void {
    if (this.#waiting.size === 0) {
      const reason = `a restart would undo them; they are tried again: make room in DATA_DIR (${String(error)})`;
      this.#log('error', 'blocks can not be saved', { reason });
    }
    this.#waiting.set(key, change);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > WAITING_MAX && oldest !== undefined) this.#waiting.delete(oldest);
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      void this.#saveWaiting();
    }, RETRY_INTERVAL).unref();
  }

  /** Saves in order, up to the first that fails. */
  async #saveWaiting(): Promise<void> {
    if (this.#waiting.size === 0) return;
    for (const [key, change] of this.#waiting) {
      try {
        await this.#save(change);
      } catch (error) {
        this.#wait(key, change, error);
        return;
      }
      // Unless it was changed again meanwhile.
      if (this.#waiting.get(key) === change) this.#waiting.delete(key);
    }
    this.#log('info', 'all blocks are saved again');
  }
}
