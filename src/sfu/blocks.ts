import type { BlockStore } from './block-store.js';

export type BlockChange =
  /** `hidden`: whether the two hear each other no more, whoever of them blocked. */
  { ok: true; changed: boolean; hidden: boolean; saved: Promise<void> } | { ok: false; reason: string };

/** Times something was not done, since the start. */
export interface BlockCounters {
  /** Blocks of users who have blocked as many as they may. */
  refused: number;
  /** Changes that work, but will be undone by a restart: the store failed. */
  savesFailed: number;
}

/**
 * Who has blocked whom. A block works both ways and outlives the connection; only the blocker lifts it.
 * The sets of present users are in memory, those of the others in the store.
 */
export class Blocks {
  readonly #store: BlockStore;
  readonly #perUserMax: number;
  readonly counters: BlockCounters = { refused: 0, savesFailed: 0 };
  readonly #present = new Map<string, Set<string>>();
  /** For whom present users have blocked, who they are: nobody's coming or going takes a look at everybody. */
  readonly #blockers = new Map<string, Set<string>>();

  /** @param perUserMax most users that one user may block */
  constructor(store: BlockStore, perUserMax: number) {
    this.#store = store;
    this.#perUserMax = perUserMax;
  }

  /** A user came: reads its set, and says which present users it doesn't hear. */
  enter(user: string): string[] {
    const blocked = new Set(this.#store.blockedBy(user));
    this.#present.set(user, blocked);
    for (const whom of blocked) this.#blockersOf(whom).add(user);
    return this.hiddenFrom(user);
  }

  /** A user went: says which present users it did not hear, and forgets its set. */
  leave(user: string): string[] {
    const hidden = this.hiddenFrom(user);
    for (const whom of this.#present.get(user) ?? []) this.#release(user, whom);
    this.#present.delete(user);
    return hidden;
  }

  /** The present users that don't hear `user`, and whom it doesn't hear. */
  hiddenFrom(user: string): string[] {
    const hidden = new Set(this.#blockers.get(user));
    for (const other of this.#present.get(user) ?? []) if (this.#present.has(other)) hidden.add(other);
    hidden.delete(user);
    return [...hidden];
  }

  /** Whether two present users hear each other not: one of them has blocked the other. */
  hides(a: string, b: string): boolean {
    if (a === b) return false;
    return (this.#present.get(a)?.has(b) ?? false) || (this.#present.get(b)?.has(a) ?? false);
  }

  /** How many users a present user has blocked. */
  count(user: string): number {
    return this.#present.get(user)?.size ?? 0;
  }

  /** Those among these users whom a present user has blocked. */
  blockedAmong(user: string, others: { has(user: string): boolean }): string[] {
    return [...(this.#present.get(user) ?? [])].filter((other) => others.has(other));
  }

  block(blocker: string, whom: string): BlockChange {
    const set = this.#setOf(blocker);
    if (blocker === whom) return { ok: true, changed: false, hidden: false, saved: Promise.resolve() };
    if (set.has(whom))
      return { ok: true, changed: false, hidden: true, saved: this.#save(this.#store.put(blocker, whom)) };
    if (set.size >= this.#perUserMax) {
      this.counters.refused += 1;
      return { ok: false, reason: `You have blocked ${set.size} users, the most allowed. Unblock some first.` };
    }
    set.add(whom);
    this.#blockersOf(whom).add(blocker);
    return { ok: true, changed: true, hidden: true, saved: this.#save(this.#store.put(blocker, whom)) };
  }

  unblock(blocker: string, whom: string): BlockChange {
    const changed = this.#setOf(blocker).delete(whom);
    if (changed) this.#release(blocker, whom);
    const saved = changed ? this.#save(this.#store.remove(blocker, whom)) : Promise.resolve();
    return { ok: true, changed, hidden: this.hides(blocker, whom), saved };
  }

  /**
   * Takes over a change that was made elsewhere, and saved there.
   *
   * @returns whether the two hear each other no more; null if nothing changes for users who are present
   */
  learn(blocker: string, whom: string, active: boolean): boolean | null {
    const set = this.#present.get(blocker);
    if (!set || blocker === whom || set.has(whom) === active) return null;
    if (active) set.add(whom);
    else set.delete(whom);
    return this.hides(blocker, whom);
  }

  async #save(saved: Promise<void>): Promise<void> {
    try {
      await saved;
    } catch (error) {
      this.counters.savesFailed += 1;
      throw error;
    }
  }

  #blockersOf(whom: string): Set<string> {
    const blockers = this.#blockers.get(whom) ?? new Set();
    this.#blockers.set(whom, blockers);
    return blockers;
  }

  #release(blocker: string, whom: string): void {
    const blockers = this.#blockers.get(whom);
    blockers?.delete(blocker);
    if (blockers?.size === 0) this.#blockers.delete(whom);
  }

  #setOf(user: string): Set<string> {
    const set = this.#present.get(user);
    if (!set) throw new Error('only a present user blocks');
    return set;
  }
}
