import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a seal is good for: one that was made for something else does not open. */
export type SealPurpose = 'relay' | 'relay-answer' | 'command' | 'command-answer' | 'node';

/** Why a seal does not open, for the log. */
export type SealFault = 'no seal' | 'another CLUSTER_SECRET' | 'old, or the clocks differ' | 'seen before';

/** How far the clocks of two nodes may differ, milliseconds. */
const SKEW_MAX = 30_000;
/** Seals that are remembered, so that none opens twice; with more of them in a minute the oldest are forgotten. */
const NONCES_MAX = 100_000;
const NONCE_BYTES = 16;

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

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
    const read = this.read(purpose, sealed);
    return read.ok ? read.text : null;
  }

  /** As `open`, with what is wrong. */
  read(purpose: SealPurpose, sealed: string): { ok: true; text: string } | { ok: false; fault: SealFault } {
    const [time = '', nonce = '', mac = '', body = '', ...more] = sealed.split('.');
    if (more.length > 0 || !/^\d{1,15}$/.test(time) || nonce.length > 2 * NONCE_BYTES) {
      return { ok: false, fault: 'no seal' };
    }
    if (!same(mac, this.#mac(purpose, time, nonce, body))) return { ok: false, fault: 'another CLUSTER_SECRET' };
    const now = this.#clock();
    if (Math.abs(now - Number(time)) > SKEW_MAX) return { ok: false, fault: 'old, or the clocks differ' };
    this.#forget(now);
    if (this.#opened.has(nonce)) return { ok: false, fault: 'seen before' };
    this.#opened.set(nonce, now);
    return { ok: true, text: Buffer.from(body, 'base64url').toString() };
  }

  /** Shows that whoever wrote this text knows the secret; for as long as the text is true, and to whoever reads it. */
  sign(purpose: SealPurpose, text: string): string {
    return this.#mac(purpose, text);
  }

  isSigned(purpose: SealPurpose, text: string, signature: string): boolean {
    return same(signature, this.#mac(purpose, text));
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
