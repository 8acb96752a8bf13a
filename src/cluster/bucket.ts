/** Longest wait for an answer of NATS itself, milliseconds. */
export const ANSWER_LIMIT = 3_000;

/** What a key holds. */
export interface Entry {
  key: string;
  /** Empty for a deleted one. */
  text: string;
  /** Of JetStream: goes up with every change of the bucket, and is never used again. */
  revision: number;
  deleted: boolean;
}

export interface BucketSettings {
  name: string;
  /** Milliseconds until a value that is not renewed is forgotten; 0 = never. */
  ttl: number;
}

/** Told of a bucket's content. */
export interface BucketListener {
  /** A value as it is now: those that there are when the link comes, then every change. Must not throw. */
  entry(entry: Entry): void;
  /** All that there was when the link came was told; what is not among these keys is there no more. */
  complete(keys: ReadonlySet<string>): void;
}

/** A key as NATS' library tells of it. */
interface FoundEntry {
  readonly key: string;
  readonly revision: number;
  /** `PUT`, or what removed it. */
  readonly operation: string;
  string(): string;
}

/** What NATS' library does with a bucket while NATS is here. */
export interface OpenBucket {
  readonly kv: {
    create(key: string, text: string): Promise<number>;
    update(key: string, text: string, revision: number, timeout: number): Promise<number>;
    put(key: string, text: string, options: { timeout: number }): Promise<number>;
    delete(key: string, options: { previousSeq?: number }): Promise<void>;
    get(key: string): Promise<FoundEntry | null>;
  };
  /** Whether somebody else was faster. */
  isConflict(error: unknown): boolean;
  /** @returns how many values and marks of the key were removed: those up to this revision */
  purge(key: string, revision: number): Promise<number>;
}

/**
 * A key-value bucket of JetStream. Everything rejects while NATS is away, as soon as it is known to have gone, and when
 * NATS does not answer in time; a change may have been made all the same.
 */
export class Bucket {
  readonly settings: BucketSettings;
  readonly listener: BucketListener | null;
  /** Null while NATS is away. */
  #open: OpenBucket | null = null;
  /** Ends the requests that wait for NATS' answer. */
  readonly #waiting = new Set<(reason: Error) => void>();

  constructor(settings: BucketSettings, listener: BucketListener | null) {
    this.settings = settings;
    this.listener = listener;
  }

  opened(open: OpenBucket): void {
    this.#open = open;
  }

  /** NATS is away. */
  lost(): void {
    this.#open = null;
    for (const end of [...this.#waiting]) end(new Error('NATS went away'));
  }

  /** @returns the new revision; null if the key is there already */
  create(key: string, text: string): Promise<number | null> {
    return this.#compared(({ kv }) => kv.create(key, text));
  }

  /** @returns the new revision; null if the key has another revision than this by now */
  update(key: string, text: string, revision: number): Promise<number | null> {
    return this.#compared(({ kv }) => kv.update(key, text, revision, ANSWER_LIMIT));
  }

  put(key: string, text: string): Promise<number> {
    return this.#ask(({ kv }) => kv.put(key, text, { timeout: ANSWER_LIMIT }));
  }

  /**
   * @param revision only if it has this one; absent = in any case
   * @returns whether it was deleted
   */
  async delete(key: string, revision?: number): Promise<boolean> {
    const options = revision === undefined ? {} : { previousSeq: revision };
    return (await this.#compared(({ kv }) => kv.delete(key, options).then(() => 0))) !== null;
  }

  /** @returns null for one that is not there, or deleted */
  async get(key: string): Promise<Entry | null> {
    const found = await this.#ask(({ kv }) => kv.get(key));
    return found && found.operation === 'PUT' ? entryOf(found) : null;
  }

  /**
   * Removes a key for good, without the mark that `delete` leaves: nobody who was away will hear that it is gone.
   *
   * @param revision only if it has no newer one
   * @returns whether it was there
   */
  async remove(key: string, revision: number): Promise<boolean> {
    return (await this.#ask(({ purge }) => purge(key, revision))) > 0;
  }

  async #compared(change: (open: OpenBucket) => Promise<number>): Promise<number | null> {
    const open = this.#open;
    try {
      return await this.#ask(change);
    } catch (error) {
      if (open?.isConflict(error)) return null;
      throw error;
    }
  }

  #ask<T>(ask: (open: OpenBucket) => Promise<T>): Promise<T> {
    const open = this.#open;
    if (!open) return Promise.reject(new Error('NATS is away'));
    return new Promise<T>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        settle();
      };
      const end = (reason: Error) => finish(() => reject(reason));
      const timer = setTimeout(() => end(new Error(`NATS did not answer within ${ANSWER_LIMIT} ms`)), ANSWER_LIMIT);
      this.#waiting.add(end);
      ask(open).then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => finish(() => reject(error)),
      );
    });
  }
}

/** What NATS tells of a key, as the nodes read it. */
export function entryOf(found: FoundEntry): Entry {
  const deleted = found.operation !== 'PUT';
  return { key: found.key, text: deleted ? '' : found.string(), revision: found.revision, deleted };
}
