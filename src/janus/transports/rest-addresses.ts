import { TokenBucket } from './token-bucket.js';

export interface AddressSettings {
  /** Requests a second, and at once, of one address. */
  requestRate: number;
  requestBurst: number;
  sessionsPerAddress: number;
}

interface Usage {
  bucket: TokenBucket;
  lastRequest: number;
  sessions: number;
}

/** Milliseconds that a request may wait for its turn; one that would wait longer is refused. */
const WAIT_MAX = 2_000;
/** Addresses that are remembered at once; beyond, only those that are known already are served. */
const ADDRESSES_MAX = 100_000;
/** Milliseconds between two looks for addresses that can be forgotten. */
const FORGETTING_INTERVAL = 10_000;

/** What each client address uses: requests a second, and sessions. Time is an argument, in milliseconds. */
export class Addresses {
  readonly #settings: AddressSettings;
  /** After this long a bucket is full again. */
  readonly #refill: number;
  readonly #usage = new Map<string, Usage>();
  #forgotAt = 0;

  constructor(settings: AddressSettings) {
    this.#settings = settings;
    this.#refill = WAIT_MAX + (settings.requestBurst / settings.requestRate) * 1000;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#usage.size;
  }

  /**
   * Counts a request, if it is to be served.
   *
   * @returns the milliseconds until its turn, most often 0; null = too many wait already
   */
  request(address: string, now: number): number | null {
    if (now - this.#forgotAt >= FORGETTING_INTERVAL) this.#forget(now);
    const usage = this.#of(address, now);
    if (!usage) return null;
    const wait = usage.bucket.wait(now);
    if (wait > WAIT_MAX) return null;
    usage.lastRequest = now;
    usage.bucket.take(1, now);
    return wait;
  }

  mayHaveSession(address: string): boolean {
    return (this.#usage.get(address)?.sessions ?? 0) < this.#settings.sessionsPerAddress;
  }

  /** @param change 1 = the address has one session more, -1 = one less */
  countSession(address: string, change: 1 | -1, now: number): void {
    const usage = this.#of(address, now);
    if (usage) usage.sessions = Math.max(0, usage.sessions + change);
  }

  #of(address: string, now: number): Usage | null {
    const known = this.#usage.get(address);
    if (known) return known;
    if (this.#usage.size >= ADDRESSES_MAX) return null;
    const { requestRate, requestBurst } = this.#settings;
    const usage = { bucket: new TokenBucket(requestRate, requestBurst, now), lastRequest: now, sessions: 0 };
    this.#usage.set(address, usage);
    return usage;
  }

  #forget(now: number): void {
    this.#forgotAt = now;
    for (const [address, { sessions, lastRequest }] of this.#usage) {
      if (sessions === 0 && now - lastRequest > this.#refill) this.#usage.delete(address);
    }
  }
}
