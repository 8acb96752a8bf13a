import type { WebhookEvent } from './event.js';
import { signedHeaders } from './signature.js';

/**
 * What became of one attempt: `delivered`; `refused`, the receiver will not take this event however often it is asked; or
 * `failed`, to be tried again. The reason is for people.
 */
export type Attempt = { outcome: 'delivered' } | { outcome: 'refused' | 'failed'; reason: string };

export interface ReceiverSettings {
  /** http: or https: */
  url: string;
  key: Buffer;
  /** Milliseconds until an attempt is given up. */
  timeout: number;
}

/** Client errors that say "later" (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4); others are a refusal. */
const LATER = new Set([408, 425, 429]);

function read(status: number): Attempt {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  // A redirection is not followed: where the events go is the operator's word alone.
  const outcome = status >= 300 && status < 500 && !LATER.has(status) ? 'refused' : 'failed';
  return { outcome, reason: `status ${status}` };
}

/** Never with the URL: it may hold a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
}

/** Where events are sent to. */
export class Receiver {
  readonly #settings: ReceiverSettings;

  constructor(settings: ReceiverSettings) {
    this.#settings = settings;
  }

  /** Sends an event once. Never rejects. @param signal ends the attempt, which has failed then */
  async post(event: WebhookEvent, signal: AbortSignal): Promise<Attempt> {
    const { url, key, timeout } = this.#settings;
    const body = JSON.stringify(event);
    // One for each attempt: what is made of signals that live long stays with them.
    const attempt = new AbortController();
    const end = () => attempt.abort();
    const timer = setTimeout(() => attempt.abort(new DOMException('no answer in time', 'TimeoutError')), timeout);
    signal.addEventListener('abort', end);
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'janus-sfu',
          ...signedHeaders(key, event.id, Date.now() / 1000, body),
        },
        body,
        signal: attempt.signal,
      });
      // What it has to say beside the status is not read.
      await response.body?.cancel();
      return read(response.status);
    } catch (error) {
      return { outcome: 'failed', reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }
}
