import type { JanusApi } from '../janus/api.js';
import { Heartbeats } from '../shards/heartbeats.js';
import type { Shards } from '../shards/pool.js';

/** What keeps the server from taking new clients, and from serving those that it has. */
export class Readiness {
  readonly #api: Pick<JanusApi, 'acceptingSessions'>;
  readonly #shards: Pick<Shards, 'count' | 'isRunning' | 'counters'>;
  readonly #heartbeats = new Heartbeats();

  constructor(api: Pick<JanusApi, 'acceptingSessions'>, shards: Pick<Shards, 'count' | 'isRunning' | 'counters'>) {
    this.#api = api;
    this.#shards = shards;
  }

  /** The media workers that are not there, or whose loops stand still. To be called every second or so. */
  stalledShards(): number[] {
    const shards = this.#shards;
    const beats = Array.from({ length: shards.count }, (_, shard) =>
      shards.isRunning(shard) ? (shards.counters(shard).heartbeat ?? 0) : null,
    );
    return this.#heartbeats.stale(beats, performance.now());
  }

  /** A text for each thing that is wrong; none = all is well. */
  problems(): string[] {
    return [
      ...(this.#api.acceptingSessions ? [] : ['no new sessions are taken']),
      ...this.stalledShards().map((shard) => `media worker ${shard} is not running`),
    ];
  }
}
