import type { Mailbox } from '../mailbox.js';

/** A long poll that waits: how many events its answer may hold, and how to give it. */
export interface Poll {
  /** Null = one event, not in an array. */
  eventsMax: number | null;
  /** Called once. */
  answer(events: object): void;
}

const KEEPALIVE = { janus: 'keepalive' };

/** The events of one session on their way to the long polls of its client. At most one poll waits. */
export class PollQueue {
  readonly #mailbox: Mailbox;
  readonly #keepaliveAfter: number;
  #waiting: { poll: Poll; timer: NodeJS.Timeout } | null = null;

  /**
   * @param mailbox holds what comes while no poll waits
   * @param keepaliveAfter milliseconds that a poll waits for an event
   */
  constructor(mailbox: Mailbox, keepaliveAfter: number) {
    this.#mailbox = mailbox;
    this.#keepaliveAfter = keepaliveAfter;
  }

  get polling(): boolean {
    return this.#waiting !== null;
  }

  /** @returns false if more events wait than are kept; this one is not taken then */
  push(event: object): boolean {
    const poll = this.#stopWaiting();
    if (!poll) return this.#mailbox.push(event);
    poll.answer(poll.eventsMax === null ? event : [event]);
    return true;
  }

  /** Answers with what is there, oldest first, or waits. A poll that waited before is answered with a keepalive. */
  poll(poll: Poll): void {
    this.release();
    if (this.#mailbox.size > 0) {
      const events = this.#mailbox.take(poll.eventsMax ?? 1);
      poll.answer(poll.eventsMax === null ? (events[0] ?? KEEPALIVE) : events);
      return;
    }
    this.#waiting = { poll, timer: setTimeout(() => this.release(), this.#keepaliveAfter) };
  }

  /** The poll's client has gone. */
  abandon(poll: Poll): void {
    if (this.#waiting?.poll === poll) this.#stopWaiting();
  }

  /** Answers the poll that waits, if one does, with a keepalive. */
  release(): void {
    const poll = this.#stopWaiting();
    poll?.answer(poll.eventsMax === null ? KEEPALIVE : [KEEPALIVE]);
  }

  /** All that no poll has taken. */
  takeAll(): object[] {
    return this.#mailbox.take(this.#mailbox.size);
  }

  #stopWaiting(): Poll | null {
    if (!this.#waiting) return null;
    const { poll, timer } = this.#waiting;
    clearTimeout(timer);
    this.#waiting = null;
    return poll;
  }
}
