import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a seal is good for: one that was made for something else does not open. */
export type SealPurpose = 'relay' | 'relay-answer' | 'command' | 'command-answer';

/** How far the clocks of two nodes may differ, milliseconds. */
const SKEW_MAX = 30_000;
/** Seals that are remembered, so that none opens twice; with more of them in a minute the oldest are forgotten. */
const NONCES_MAX = 100_000;
const NONCE_BYTES = 16;

/**
 * Seals texts between nodes that know the same secret: whoever opens one knows that such a node made it for this purpose,
 * within the last half minute, and that it was not opened here before. It hides nothing: what goes over an open network
 * needs TLS as well.
 *
 * The form is `TIME.NONCE.MAC.TEXT`: milliseconds since 1970, and base64url of 16 random bytes, of HMAC-SHA256 over all
 * the rest under a key of the purpose (HKDF-SHA256, RFC 5869), and of the text.
 */
export class Seals {
  readonly #keys = new Map<SealPurpose, Buffer>();
  readonly #secret: string;
  readonly #clock: () => number;
  /** In the order in which they came, with their times. */
  readonly #opened = new Map<string, number>();

  /** @param clock milliseconds since 1970 */
  constructor(secret: string, clock: () => number = Date.now) {
    this.#secret = secret;
    this.#clock = clock;
  }

  seal(purpose: SealPurpose, text: string): string {
    const time = String(this.#clock());
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    const body = Buffer.from(text).toString('base64url');
    return [time, nonce, this.#mac(purpose, time, nonce, body), body].join('.');
  }

  /** @returns the text; null if no node made this for this purpose, it is too old, or was opened before */
  open(purpose: SealPurpose, sealed: string): string | null {
    const [time = '', nonce = '', mac = '', body = '', ...more] = sealed.split('.');
    if (more.length > 0 || !/^\d{1,15}$/.test(time) || nonce.length > 2 * NONCE_BYTES) return null;
    const expected = Buffer.from(this.#mac(purpose, time, nonce, body));
    const given = Buffer.from(mac);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const now = this.#clock();
    if (Math.abs(now - Number(time)) > SKEW_MAX) return null;
    this.#forget(now);
    if (this.#opened.has(nonce)) return null;
    this.#opened.set(nonce, now);
    return Buffer.from(body, 'base64url').toString();
  }

  /** What is too old to open needs no remembering. A sender's clock may be ahead by as much as another's is behind. */
  #forget(now: number): void {
    for (const [nonce, at] of this.#opened) {
      if (now - at <= 2 * SKEW_MAX && this.#opened.size < NONCES_MAX) return;
      this.#opened.delete(nonce);
    }
  }

  #mac(purpose: SealPurpose, ...parts: string[]): string {
    let key = this.#keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.#secret, '', `janus-sfu ${purpose}`, 32));
      this.#keys.set(purpose, key);
    }
    return createHmac('sha256', key).update(parts.join('.')).digest('base64url');
  }
}
