import type { Mailbox } from '../mailbox.js';

/** A long poll that waits: how many events its answer may hold, and how to give it. */
export interface Poll {
  /** Null = one event, not in an array. */
  eventsMax: number | null;
  /** Called once. */
  answer(events: object): void;
}

/** A poll that has no answer yet. */
interface Wait {
  poll: Poll;
  timer: NodeJS.Timeout;
  /** Whether it has waited for long enough to be answered with a keepalive. */
  mature: boolean;
}

const KEEPALIVE = { janus: 'keepalive' };
/**
 * Milliseconds that a poll waits even if another one takes its place. janus.js has two loops of polls after a
 * `reconnect` too many: answered at once, each poll would call forth the next one, as fast as the line is.
 */
const WAIT_MIN = 1000;

/** The events of one session on their way to the long polls of its client. The latest poll gets them. */
export class PollQueue {
  readonly #mailbox: Mailbox;
  readonly #keepaliveAfter: number;
  #waiting: Wait | null = null;
  /** Polls whose place another one took, until they are mature. */
  readonly #retired = new Set<Wait>();

  /**
   * @param mailbox holds what comes while no poll waits
   * @param keepaliveAfter milliseconds that a poll waits for an event
   */
  constructor(mailbox: Mailbox, keepaliveAfter: number) {
    this.#mailbox = mailbox;
    this.#keepaliveAfter = keepaliveAfter;
  }

  /** Polls without an answer: one that waits for events, and some that end within a second. */
  get polls(): number {
    return this.#retired.size + (this.#waiting ? 1 : 0);
  }

  /** @returns false if more events wait than are kept; this one is not taken then */
  push(event: object): boolean {
    const wait = this.#waiting;
    if (!wait) return this.#mailbox.push(event);
    this.#end(wait, wait.poll.eventsMax === null ? event : [event]);
    return true;
  }

  /** Answers with what is there, oldest first, or waits. A poll that waited before is to be answered with a keepalive. */
  poll(poll: Poll): void {
    const old = this.#waiting;
    if (old?.mature) {
      this.#keepalive(old);
    } else if (old) {
      this.#retired.add(old);
      this.#waiting = null;
    }
    if (this.#mailbox.size > 0) {
      const events = this.#mailbox.take(poll.eventsMax ?? 1);
      poll.answer(poll.eventsMax === null ? (events[0] ?? KEEPALIVE) : events);
      return;
    }
    const first = Math.min(WAIT_MIN, this.#keepaliveAfter);
    const wait: Wait = { poll, mature: false, timer: setTimeout(() => this.#mature(wait), first) };
    this.#waiting = wait;
  }

  /** The poll's client has gone. */
  abandon(poll: Poll): void {
    for (const wait of this.#unanswered()) if (wait.poll === poll) this.#forget(wait);
  }

  /** Answers all polls that have no answer yet, with a keepalive. */
  release(): void {
    for (const wait of this.#unanswered()) this.#keepalive(wait);
  }

  /** All that no poll has taken. */
  takeAll(): object[] {
    return this.#mailbox.take(this.#mailbox.size);
  }

  #unanswered(): Wait[] {
    return [...this.#retired, ...(this.#waiting ? [this.#waiting] : [])];
  }

  #mature(wait: Wait): void {
    wait.mature = true;
    const left = this.#keepaliveAfter - WAIT_MIN;
    if (left > 0 && !this.#retired.has(wait)) wait.timer = setTimeout(() => this.#keepalive(wait), left);
    else this.#keepalive(wait);
  }

  #keepalive(wait: Wait): void {
    this.#end(wait, wait.poll.eventsMax === null ? KEEPALIVE : [KEEPALIVE]);
  }

  #end(wait: Wait, answer: object): void {
    this.#forget(wait);
    wait.poll.answer(answer);
  }

  #forget(wait: Wait): void {
    clearTimeout(wait.timer);
    this.#retired.delete(wait);
    if (this.#waiting === wait) this.#waiting = null;
  }
}
