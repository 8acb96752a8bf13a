import type { HandleDescription, ShardNumber } from '../../workers/protocol.js';
import type { Shards } from '../shards/pool.js';
import type { SfuHandle } from './handle.js';

/** Runs what nobody waits for: a failure is logged. */
type Attempt = (action: () => Promise<unknown>) => Promise<void>;

/**
 * Publishers whose subscribers live on several shards: which ones have a mirror of it, and telling them. Requests to one
 * shard are carried out in the order in which they are made, so what is told here holds for all that is asked later.
 */
export class Mirrors {
  readonly #shards: Pick<Shards, 'run'>;
  readonly #attempt: Attempt;

  constructor(shards: Pick<Shards, 'run'>, attempt: Attempt) {
    this.#shards = shards;
    this.#attempt = attempt;
  }

  /** A subscriber of the publisher is to live on this shard. @throws ShardError if that can't be */
  async provide(source: SfuHandle, shard: ShardNumber): Promise<void> {
    if (source.shard === null || source.shard === shard || source.mirrors.has(shard)) return;
    source.mirrors.add(shard);
    try {
      await this.#shards.run(shard, { type: 'mirror', handle: source.number, home: source.shard });
    } catch (error) {
      source.mirrors.delete(shard);
      await this.#forget(source, shard);
      throw error;
    }
    if (source.mirrors.has(shard)) await this.#tellHome(source);
  }

  /** A subscriber of the publisher is gone: a mirror without one ends. */
  async release(source: SfuHandle): Promise<void> {
    const needed = new Set([...source.subscribers].map(({ shard }) => shard));
    const idle = [...source.mirrors].filter((shard) => !needed.has(shard));
    if (idle.length === 0) return;
    for (const shard of idle) source.mirrors.delete(shard);
    await Promise.all([this.#tellHome(source), ...idle.map((shard) => this.#forget(source, shard))]);
  }

  /** The publisher is gone, or its shard: nothing feeds its mirrors any more. */
  async end(source: SfuHandle): Promise<void> {
    const shards = [...source.mirrors];
    source.mirrors.clear();
    await Promise.all(shards.map((shard) => this.#forget(source, shard)));
  }

  /** A shard died, and with it its mirrors. */
  lose(shard: ShardNumber, handles: Iterable<SfuHandle>): void {
    for (const handle of handles) if (handle.mirrors.delete(shard)) void this.#tellHome(handle);
  }

  /** Adds the subscribers on other shards to what a publisher's own shard says of it. */
  async complete(source: SfuHandle, description: HandleDescription): Promise<void> {
    const request = { type: 'describe', handle: source.number } as const;
    const replies = await Promise.all([...source.mirrors].map((shard) => this.#shards.run(shard, request)));
    for (const stream of description.streams) {
      if (stream.direction !== 'up') continue;
      for (const { description: mirror } of replies) {
        const same = mirror?.streams.find(({ direction, kind }) => direction === 'up' && kind === stream.kind);
        stream.subscribers = (stream.subscribers ?? 0) + (same?.subscribers ?? 0);
      }
    }
  }

  #tellHome(source: SfuHandle): Promise<void> {
    const { shard, number: handle, mirrors } = source;
    if (shard === null) return Promise.resolve();
    return this.#attempt(() => this.#shards.run(shard, { type: 'set-mirrors', handle, shards: [...mirrors] }));
  }

  #forget(source: SfuHandle, shard: ShardNumber): Promise<void> {
    return this.#attempt(() => this.#shards.run(shard, { type: 'forget', handle: source.number }));
  }
}
