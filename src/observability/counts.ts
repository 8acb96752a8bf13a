/**
 * Counts by a word out of a fixed set. What is not in the set is counted as the last word, `other` or the like: what
 * clients send must not make a table grow, nor a metric's labels.
 */
export class Counts<Word extends string = string> {
  readonly #counts: Map<string, number>;
  readonly #last: Word;

  /** @param words at least one; the last one stands for all that are not known */
  constructor(words: readonly Word[]) {
    const last = words.at(-1);
    if (last === undefined) throw new Error('there is no word to count by');
    this.#counts = new Map(words.map((word) => [word, 0]));
    this.#last = last;
  }

  add(word: string): void {
    const known = this.#counts.has(word) ? word : this.#last;
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  get(word: Word): number {
    return this.#counts.get(word) ?? 0;
  }

  /** All words, also those that were never counted. */
  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** How something that was asked ended. */
export type Outcome = 'success' | 'error';

/** Counts of what was asked, by a word out of a fixed set and by how it ended. */
export class OutcomeCounts<Word extends string = string> {
  readonly #success: Counts<Word>;
  readonly #error: Counts<Word>;

  /** @param words as of `Counts` */
  constructor(words: readonly Word[]) {
    this.#success = new Counts(words);
    this.#error = new Counts(words);
  }

  add(word: string, outcome: Outcome): void {
    (outcome === 'success' ? this.#success : this.#error).add(word);
  }

  read(): Record<Outcome, Record<string, number>> {
    return { success: this.#success.read(), error: this.#error.read() };
  }
}
