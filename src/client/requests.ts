import type { JanusReply, JanusRequest, PluginEvent, Verb, VerbFields } from '../janus/wire.js';
import { JanusRefusal, NoAnswer, TooManyRequests } from './errors.js';

/** What settles a request: its direct reply, or for a message the plugin's event. */
export type Reply = Exclude<JanusReply, { janus: 'error' }> | PluginEvent;

interface Waiting {
  request: JanusRequest;
  /** `tied`: sent, and of no use on another connection. */
  state: 'queued' | 'sent' | 'tied';
  /** Milliseconds of the caller's clock. */
  deadline: number;
  resolve: (reply: Reply) => void;
  reject: (error: Error) => void;
}

export interface RequestLimits {
  /** Milliseconds until a request without an answer fails. */
  answerTimeoutMs: number;
  /** Most requests that may wait for answers. */
  waitingMax: number;
  /** Most of those that may wait to be sent, while there is no connection. */
  queuedMax: number;
}

/** The requests of one session that wait for their answers, or to be sent. Has no clock: time is an argument. */
export class Requests {
  readonly #limits: RequestLimits;
  readonly #waiting = new Map<string, Waiting>();
  #lastTransaction = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Notes a request that is to be sent.
   *
   * @param now milliseconds of any steady clock, the same at every call
   * @returns its reply; rejects with {JanusRefusal}, {NoAnswer}, or what `fail` is given
   * @throws {TooManyRequests} over a limit
   */
  add<V extends Verb>(verb: V, fields: VerbFields[V] & { handle_id?: number }, now: number): Promise<Reply> {
    const { waitingMax, queuedMax } = this.#limits;
    if (this.#waiting.size >= waitingMax) throw new TooManyRequests(waitingMax);
    if (this.#queued().length >= queuedMax) throw new TooManyRequests(queuedMax);
    return this.#note(verb, fields, now, 'queued').reply;
  }

  /** Notes a request that the caller sends at once, past those that wait; it fails with its connection (`interrupt`). */
  addSent(verb: 'create' | 'claim', now: number): { request: JanusRequest; reply: Promise<Reply> } {
    return this.#note(verb, {}, now, 'tied');
  }

  #note<V extends Verb>(verb: V, fields: VerbFields[V] & { handle_id?: number }, now: number, state: Waiting['state']) {
    this.#lastTransaction += 1;
    const transaction = String(this.#lastTransaction);
    const request = { janus: verb, transaction, ...fields } as JanusRequest<V>;
    const reply = new Promise<Reply>((resolve, reject) => {
      const deadline = now + this.#limits.answerTimeoutMs;
      this.#waiting.set(transaction, { request, state, deadline, resolve, reject });
    });
    return { request, reply };
  }

  /** The requests that wait to be sent, in order; they count as sent from now on. */
  takeQueued(): JanusRequest[] {
    const queued = this.#queued();
    for (const waiting of queued) waiting.state = 'sent';
    return queued.map(({ request }) => request);
  }

  /**
   * The connection broke. A message that was sent goes on waiting, since the server keeps its answer for who claims the
   * session, and asking twice is not the same as once. Of all other verbs it is: they are sent again.
   */
  interrupt(): void {
    for (const [transaction, waiting] of this.#waiting) {
      const { janus: verb } = waiting.request;
      if (waiting.state === 'tied') {
        this.#waiting.delete(transaction);
        waiting.reject(new NoAnswer(verb, 'the connection to the server was closed'));
      } else if (verb !== 'message') {
        waiting.state = 'queued';
      }
    }
  }

  /** Takes what the server sent; returns whether it was the reply to a request that waits. */
  settle(message: JanusReply | PluginEvent): boolean {
    const { transaction } = message;
    const waiting = transaction === undefined ? undefined : this.#waiting.get(transaction);
    if (!waiting || transaction === undefined) return false;
    const { janus: verb } = waiting.request;
    if (message.janus === 'ack' && verb === 'message') return true;
    this.#waiting.delete(transaction);
    if (message.janus === 'error') {
      const { code, reason } = message.error;
      waiting.reject(new JanusRefusal(verb, code, reason));
    } else {
      waiting.resolve(message);
    }
    return true;
  }

  /** Fails those whose time is over. Returns when to look again: milliseconds of the caller's clock, null if none waits. */
  expire(now: number): number | null {
    let next: number | null = null;
    for (const [transaction, { request, deadline, state, reject }] of this.#waiting) {
      if (deadline <= now) {
        this.#waiting.delete(transaction);
        const seconds = `${this.#limits.answerTimeoutMs / 1000} s passed`;
        reject(new NoAnswer(request.janus, state === 'queued' ? `${seconds} without a connection` : seconds));
      } else if (next === null || deadline < next) next = deadline;
    }
    return next;
  }

  /** Fails all. */
  fail(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }

  #queued(): Waiting[] {
    return [...this.#waiting.values()].filter(({ state }) => state === 'queued');
  }
}
