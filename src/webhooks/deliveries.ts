import { randomUUID } from 'node:crypto';
import type { Log } from '../observability/log.js';
import type { Happening } from '../sfu/attendance.js';
import { eventOf, type WebhookEvent } from './event.js';
import type { Attempt } from './receiver.js';

export interface DeliveriesSettings {
  /** `SERVER_NAME`. */
  server: string;
  /** Which node of a cluster tells the events; absent where the server is alone. */
  node?: string | undefined;
  /** Most events that wait. */
  queueMax: number;
  /** Milliseconds until the second attempt; each further one waits twice as long, up to `retryMost`. */
  retryFirst?: number;
  retryMost?: number;
  /** Milliseconds after which an event that could not be delivered is given up. */
  expiry?: number;
}

/** Events since the start, by what became of them, and attempts that were repeated. */
export interface DeliveryCounters {
  delivered: number;
  /** The receiver does not want them. */
  refused: number;
  /** The receiver failed for too long. */
  expired: number;
  /** Too many waited: the oldest ones were given up. */
  overflowed: number;
  /** The server ended before they were delivered. */
  abandoned: number;
  retries: number;
}

const RETRY_FIRST = 500;
const RETRY_MOST = 60_000;
const EXPIRY = 15 * 60_000;
/** While the server ends nobody waits longer for another attempt. */
const RETRY_AT_END = 100;

interface Waiting {
  event: WebhookEvent;
  /** Milliseconds, monotonic. */
  since: number;
}

/**
 * Brings events to a receiver, one after the other in the order in which they happened. Whoever tells of something goes on
 * at once: a slow receiver costs memory, up to a bound, and nothing else.
 */
export class Deliveries {
  readonly counters: DeliveryCounters = {
    delivered: 0,
    refused: 0,
    expired: 0,
    overflowed: 0,
    abandoned: 0,
    retries: 0,
  };
  readonly #settings: Required<Omit<DeliveriesSettings, 'node'>> & Pick<DeliveriesSettings, 'node'>;
  readonly #post: (event: WebhookEvent, signal: AbortSignal) => Promise<Attempt>;
  readonly #log: Log;
  readonly #waiting: Waiting[] = [];
  readonly #abort = new AbortController();
  #sequence = 0;
  /** Attempts that failed one after the other. */
  #failures = 0;
  /** Whether it was said, since the last delivery, that events were given up. */
  #saidOverflow = false;
  #running: Promise<void> | null = null;
  #ending = false;
  #wake: () => void = () => {};

  /** @param post sends an event once; must not reject */
  constructor(
    settings: DeliveriesSettings,
    post: (event: WebhookEvent, signal: AbortSignal) => Promise<Attempt>,
    log: Log,
  ) {
    this.#settings = { retryFirst: RETRY_FIRST, retryMost: RETRY_MOST, expiry: EXPIRY, ...settings };
    this.#post = post;
    this.#log = log;
  }

  /** Events that are not delivered yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Something happened. */
  tell(happening: Happening): void {
    if (this.#abort.signal.aborted) return;
    const { queueMax, server, node } = this.#settings;
    this.#sequence += 1;
    const facts = { id: randomUUID(), at: Date.now(), server, node, sequence: this.#sequence };
    if (this.#waiting.length >= queueMax) {
      // The newest ones tell most of how things are now. The first one is on its way and may have arrived.
      this.#waiting.splice(Math.min(1, this.#waiting.length - 1), 1);
      this.counters.overflowed += 1;
      if (!this.#saidOverflow) this.#log('warn', 'webhook events are lost: too many wait', { waiting: queueMax });
      this.#saidOverflow = true;
    }
    this.#waiting.push({ event: eventOf(happening, facts), since: performance.now() });
    this.#running ??= this.#run();
  }

  /** Delivers what waits, but not for longer than so many milliseconds. */
  async close(limit: number): Promise<void> {
    this.#ending = true;
    this.#wake();
    const timer = setTimeout(() => {
      this.#abort.abort();
      this.#wake();
    }, limit);
    await this.#running;
    clearTimeout(timer);
    this.#abort.abort();
    this.counters.abandoned += this.#waiting.length;
    if (this.#waiting.length > 0) {
      this.#log('warn', 'webhook events are lost: the server ended', { events: this.#waiting.length });
    }
    this.#waiting.length = 0;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        if (this.#failures > 0 && this.#waiting.length > 0) await this.#pause();
        const [next] = this.#waiting;
        if (!next || this.#abort.signal.aborted) return;
        const attempt = await this.#post(next.event, this.#abort.signal);
        if (attempt.outcome === 'failed' && this.#abort.signal.aborted) return;
        this.#settle(next, attempt);
      }
    } finally {
      this.#running = null;
    }
  }

  #settle(tried: Waiting, attempt: Attempt): void {
    if (attempt.outcome === 'failed') {
      this.#failures += 1;
      if (this.#failures === 1) this.#log('warn', 'the webhook receiver fails', { reason: attempt.reason });
      if (!this.#expire()) this.counters.retries += 1;
      return;
    }
    if (this.#failures > 0) this.#log('info', 'the webhook receiver answers again', { attempts: this.#failures });
    this.#failures = 0;
    this.#saidOverflow = false;
    this.counters[attempt.outcome] += 1;
    if (attempt.outcome === 'refused') {
      const { type, sequence } = tried.event;
      this.#log('warn', 'the webhook receiver refused an event', { type, sequence, reason: attempt.reason });
    }
    if (this.#waiting[0] === tried) this.#waiting.shift();
  }

  /** Gives up what has waited too long. @returns whether the event that was tried last is among it */
  #expire(): boolean {
    const oldest = performance.now() - this.#settings.expiry;
    const fresh = this.#waiting.findIndex(({ since }) => since > oldest);
    const expired = this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh).length;
    this.counters.expired += expired;
    if (expired > 0)
      this.#log('warn', 'webhook events are lost: the receiver failed for too long', { events: expired });
    return expired > 0;
  }

  async #pause(): Promise<void> {
    const { retryFirst, retryMost } = this.#settings;
    const usual = Math.min(retryFirst * 2 ** (this.#failures - 1), retryMost);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#ending ? Math.min(usual, RETRY_AT_END) : usual);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
