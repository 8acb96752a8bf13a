import type { Writable } from 'node:stream';

/** Milliseconds for which what can wait is kept back: mostly something else follows to the same client. */
const WAIT = 2;

/**
 * Merges what is written to each connection in one turn of the event loop into one system call: when many come or go at once, each of
 * their rooms' members is told of many. It waits for nothing but the end of the turn, or a moment if nothing needs to be sooner.
 */
export class Outbox {
  readonly #held = new Set<Writable>();
  readonly #waiting = new Set<Writable>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * What is written to the stream from now on goes out at the end of the turn.
   *
   * @param canWait it may also go out up to 2 ms later, or with what can't wait, in order
   */
  hold(stream: Writable, canWait = false): void {
    if (this.#held.has(stream)) return;
    const waits = this.#waiting.delete(stream);
    if (!waits) stream.cork();
    if (canWait) {
      this.#waiting.add(stream);
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#flush(this.#waiting);
      }, WAIT);
      return;
    }
    if (this.#held.size === 0) setImmediate(() => this.#flush(this.#held));
    this.#held.add(stream);
  }

  #flush(streams: Set<Writable>): void {
    const held = [...streams];
    streams.clear();
    for (const stream of held) stream.uncork();
  }
}
