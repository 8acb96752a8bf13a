/**
 * A shard's end of its line to the main thread (src/shards/line.ts): what comes in one turn of the loop goes in one message, both
 * ways, since each message is a wake-up of the other side, in which a loop looks at all its peers' handles.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RequestBatch, ShardAnswer, ShardCall, ShardNews, ShardReply, ShardSpeech } from './protocol.js';

export class Line {
  readonly #port: MessagePort;
  #news: ShardNews[] = [];
  #leaving: NodeJS.Immediate | null = null;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Tells the main thread, at the end of this turn. */
  say(news: ShardNews): void {
    this.#news.push(news);
    this.#leaving ??= setImmediate(() => this.#leave([]));
  }

  /**
   * Takes requests from now on: one after the other, in the order in which they were made.
   *
   * @param ready requests wait for it; if it rejects, that is their failure
   * @param run a throw is the request's failure and harms nothing else
   */
  answer(ready: Promise<void>, run: (request: ShardCall) => ShardReply): void {
    this.#port.on('message', async (batch: RequestBatch) => {
      let unready: unknown = null;
      await ready.catch((error: unknown) => {
        unready = error;
      });
      this.#leave(batch.map(({ number, request }) => ({ number, ...outcome(unready, request, run) })));
    });
  }

  #leave(answers: ShardAnswer[]): void {
    if (this.#leaving) clearImmediate(this.#leaving);
    this.#leaving = null;
    const news = this.#news;
    this.#news = [];
    this.#port.postMessage({ answers, news } satisfies ShardSpeech);
  }
}

function outcome(
  unready: unknown,
  request: ShardCall,
  run: (request: ShardCall) => ShardReply,
): { reply: ShardReply } | { problem: string } {
  try {
    if (unready !== null) throw unready;
    return { reply: run(request) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
