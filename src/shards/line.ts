/** The main thread's end of its line to one shard (workers/line.ts): requests with a reply each, and the shard's news. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { RequestBatch, ShardCall, ShardNews, ShardReply, ShardSpeech } from '../../workers/protocol.js';

/** A request that failed, or a shard that is not there to run it. The message is for people. */
export class ShardError extends Error {}

interface Waiting {
  resolve(reply: ShardReply): void;
  reject(error: ShardError): void;
}

export class ShardLine {
  /** For the shard. */
  readonly remote: MessagePort;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #batch: RequestBatch = [];
  #lastNumber = 0;
  #ended: ShardError | null = null;

  /** @param onNews called for each piece of news, in order */
  constructor(onNews: (news: ShardNews) => void) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.remote = port2;
    port1.on('message', ({ answers, news }: ShardSpeech) => {
      // It happened before, or while, the requests were run.
      for (const one of news) onNews(one);
      for (const answer of answers) {
        const waiting = this.#waiting.get(answer.number);
        this.#waiting.delete(answer.number);
        if ('reply' in answer) waiting?.resolve(answer.reply);
        else waiting?.reject(new ShardError(answer.problem));
      }
    });
  }

  /**
   * Runs one request, together with all others of this turn of the loop and in their order.
   *
   * @throws ShardError if it failed, or the line ended before there was an answer
   */
  request(request: ShardCall): Promise<ShardReply> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#lastNumber += 1;
      this.#waiting.set(this.#lastNumber, { resolve, reject });
      if (this.#batch.length === 0) setImmediate(() => this.#send());
      this.#batch.push({ number: this.#lastNumber, request });
    });
  }

  /** The shard is gone, or its server ends: all that waits fails. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = new ShardError(reason);
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  #send(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (!this.#ended) this.#port.postMessage(batch);
  }
}
