import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Bucket, Entry } from './bucket.js';

/** A token that the Admin API added, and the plugins that it may use. */
export interface StoredToken {
  token: string;
  plugins: string[];
}

/** Where a node keeps the tokens that it knows. */
export interface TokenStore {
  /** Told of each token that is stored, changed (with all that it may use now) or removed (null) here. */
  onChange(listener: (token: string, plugins: string[] | null) => Promise<void>): void;
  /** Stores what another node changed; null = it was removed. */
  learn(token: string, plugins: string[] | null): void;
}

interface Change {
  token: string;
  plugins: string[] | null;
}

type TokenBucket = Pick<Bucket, 'put' | 'delete'>;

const record = z.object({ token: z.string(), plugins: z.array(z.string()) });

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The stored tokens of all nodes: a node that comes later, or was away, knows those that there are. NATS sees neither tokens
 * nor who makes them: a key is an HMAC, a value is encrypted, both with keys of the cluster's secret (HKDF, RFC 5869). Without
 * NATS a change works here, and is passed on later.
 */
export class SharedTokens {
  readonly #store: TokenStore;
  readonly #bucket: TokenBucket;
  readonly #nameKey: Buffer;
  readonly #valueKey: Buffer;
  /** Those that the bucket has, by their keys. */
  readonly #known = new Map<string, StoredToken>();
  /** Changes that NATS has not got yet; null = removed. `TOKENS_MAX` bounds how many are added. */
  readonly #waiting = new Map<string, Change>();
  /** Those of them that NATS is being told of just now. */
  readonly #sending = new Set<string>();

  /** @param bucket makes the bucket that this listens to */
  constructor(
    secret: string,
    store: TokenStore,
    bucket: (listener: { entry(entry: Entry): void; complete(keys: ReadonlySet<string>): void }) => TokenBucket,
  ) {
    const derive = (what: string) => Buffer.from(hkdfSync('sha256', secret, '', `janus-sfu ${what}`, 32));
    this.#nameKey = derive('token names');
    this.#valueKey = derive('token values');
    this.#store = store;
    this.#bucket = bucket({ entry: (entry) => this.#learn(entry), complete: (keys) => this.#complete(keys) });
    store.onChange((token, plugins) => this.#share({ token, plugins }));
  }

  async #share(change: Change): Promise<void> {
    const { token, plugins } = change;
    const key = createHmac('sha256', this.#nameKey).update(token).digest('base64url');
    this.#waiting.set(key, change);
    this.#sending.add(key);
    try {
      if (plugins === null) await this.#bucket.delete(key);
      else await this.#bucket.put(key, this.#close(key, { token, plugins }));
      if (this.#waiting.get(key) === change) this.#waiting.delete(key);
    } catch {
      // It is passed on when NATS takes it.
    } finally {
      this.#sending.delete(key);
    }
  }

  #learn({ key, text, deleted }: Entry): void {
    // What was changed here while NATS was away is newer.
    const read = deleted ? null : this.#open(key, text);
    if (read) this.#known.set(key, read);
    if (this.#waiting.has(key)) return;
    const token = this.#known.get(key)?.token;
    if (read === null) this.#known.delete(key);
    if (token !== undefined) this.#store.learn(token, read?.plugins ?? null);
  }

  /**
   * What was removed meanwhile has left a mark, and was told of: what is missing without one NATS has lost, and is told of
   * it anew. What this node changed meanwhile is passed on.
   */
  #complete(keys: ReadonlySet<string>): void {
    for (const [key, token] of this.#known) {
      if (!keys.has(key) && !this.#waiting.has(key)) this.#waiting.set(key, token);
    }
    this.sweep();
  }

  /** Tries again what NATS has not taken; to be called every few seconds. */
  sweep(): void {
    for (const [key, change] of [...this.#waiting]) if (!this.#sending.has(key)) void this.#share(change);
  }

  /** `IV TAG TEXT`, base64url; the key is bound to it, so that values can't be moved. */
  #close(key: string, token: StoredToken): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#valueKey, iv).setAAD(Buffer.from(key));
    const text = Buffer.concat([cipher.update(JSON.stringify(token)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** @returns null for what no node of this cluster wrote */
  #open(key: string, sealed: string): StoredToken | null {
    try {
      const bytes = Buffer.from(sealed, 'base64url');
      const cipher = createDecipheriv(CIPHER, this.#valueKey, bytes.subarray(0, IV_BYTES)).setAAD(Buffer.from(key));
      cipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const text = Buffer.concat([cipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), cipher.final()]);
      return record.parse(JSON.parse(text.toString()));
    } catch {
      return null;
    }
  }
}
