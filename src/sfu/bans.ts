import { createHash } from 'node:crypto';
import type { Ban, BanStore } from './ban-store.js';

/** Times something happened to bans, since the start. */
export interface BanCounters {
  /** Tokens that were banned. */
  banned: number;
  /** Bans that were given up before their time, because there were too many. */
  displaced: number;
  /** Changes that work, but will be undone by a restart: the store failed. */
  savesFailed: number;
}

/** What a token is called where it is remembered. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/**
 * Tokens of users who were kicked: they let nobody in until they expire. A bounded set; with one more than fits, the
 * ban that would end first is given up. Time is Unix time in seconds: it is what tokens expire by.
 */
export class Bans {
  readonly counters: BanCounters = { banned: 0, displaced: 0, savesFailed: 0 };
  readonly #store: BanStore;
  readonly #max: number;
  readonly #now: () => number;
  readonly #expiries = new Map<string, number>();
  readonly #failed: (error: unknown) => void;
  #listener: (ban: Ban) => void = () => {};

  /**
   * @param max most bans at once
   * @param failed told of changes that could not be saved
   */
  constructor(store: BanStore, max: number, now: () => number, failed: (error: unknown) => void = () => {}) {
    this.#store = store;
    this.#max = max;
    this.#now = now;
    this.#failed = failed;
    for (const { token, expires } of store.all()) this.#expiries.set(token, expires);
    this.#forget();
    while (this.#expiries.size > max) this.#displace();
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** @param token a digest */
  has(token: string): boolean {
    return (this.#expiries.get(token) ?? 0) > this.#now();
  }

  /** Those that hold at the moment. */
  all(): Ban[] {
    return [...this.#expiries].map(([token, expires]) => ({ token, expires })).filter((ban) => !this.isOver(ban));
  }

  /** Whether the token has expired by itself. */
  isOver({ expires }: Ban): boolean {
    return expires <= this.#now();
  }

  /** Told of each token that is banned here. */
  onBan(listener: (ban: Ban) => void): void {
    this.#listener = listener;
  }

  /** Bans at once; resolves when that is saved, or could not be. */
  async ban(ban: Ban): Promise<void> {
    await this.learn(ban);
    if (this.has(ban.token)) this.#listener(ban);
  }

  /** Bans a token that was banned elsewhere. */
  async learn({ token, expires }: Ban): Promise<void> {
    if (this.#expiries.get(token) === expires) return;
    this.#forget();
    if (expires <= this.#now()) return;
    if (!this.#expiries.has(token) && this.#expiries.size >= this.#max) this.#displace();
    this.#expiries.set(token, expires);
    this.counters.banned += 1;
    await this.#save(this.#store.put({ token, expires }));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** Drops what has expired. */
  #forget(): void {
    const now = this.#now();
    for (const [token, expires] of this.#expiries) if (expires <= now) this.#drop(token);
  }

  #displace(): void {
    let first: string | null = null;
    let soonest = Number.POSITIVE_INFINITY;
    for (const [token, expires] of this.#expiries) {
      if (expires >= soonest) continue;
      first = token;
      soonest = expires;
    }
    if (first === null) return;
    this.counters.displaced += 1;
    this.#drop(first);
  }

  #drop(token: string): void {
    this.#expiries.delete(token);
    void this.#save(this.#store.remove(token));
  }

  async #save(saved: Promise<void>): Promise<void> {
    try {
      await saved;
    } catch (error) {
      this.counters.savesFailed += 1;
      this.#failed(error);
    }
  }
}
