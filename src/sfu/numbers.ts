/**
 * Gives each key a small number while somebody uses it: the shards know users and rooms by number only.
 * A number is not used again before 2^31 others were, so a late message about a gone user hits nobody.
 */
export class Interned<Key> {
  readonly #entries = new Map<Key, { number: number; uses: number }>();
  readonly #taken = new Set<number>();
  readonly #max: number;
  #last = 0;

  /** @param max the highest number to give; the lowest is 1 */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds one use of `key`. `first` says that it had none before. */
  acquire(key: Key): { number: number; first: boolean } {
    const known = this.#entries.get(key);
    if (known) {
      known.uses += 1;
      return { number: known.number, first: false };
    }
    if (this.#taken.size >= this.#max) throw new RangeError(`all ${this.#max} numbers are in use`);
    do {
      this.#last = this.#last >= this.#max ? 1 : this.#last + 1;
    } while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    this.#entries.set(key, { number: this.#last, uses: 1 });
    return { number: this.#last, first: true };
  }

  /** Ends one use of `key`; true if it was the last one. */
  release(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (!entry) throw new Error('released a key that nobody uses');
    entry.uses -= 1;
    if (entry.uses > 0) return false;
    this.#entries.delete(key);
    this.#taken.delete(entry.number);
    return true;
  }

  get(key: Key): number | undefined {
    return this.#entries.get(key)?.number;
  }

  keys(): IterableIterator<Key> {
    return this.#entries.keys();
  }
}
