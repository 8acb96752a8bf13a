import type { Writable } from 'node:stream';

/**
 * Merges what is written to each connection in one turn of the event loop into one system call: when many come or go at once, each of
 * their rooms' members is told of many. It waits for nothing but the end of the turn.
 */
export class Outbox {
  readonly #held = new Set<Writable>();

  /** What is written to the stream from now on goes out at the end of the turn. */
  hold(stream: Writable): void {
    if (this.#held.has(stream)) return;
    if (this.#held.size === 0) setImmediate(() => this.#flush());
    this.#held.add(stream);
    stream.cork();
  }

  #flush(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const stream of held) stream.uncork();
  }
}
