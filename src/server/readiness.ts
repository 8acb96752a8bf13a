import type { JanusApi } from '../janus/api.js';
import type { Shards } from '../shards/pool.js';
import type { Tables } from './tables.js';

/** What keeps the server from taking new clients, and from serving those that it has. */
export class Readiness {
  readonly #api: Pick<JanusApi, 'acceptingSessions'>;
  readonly #shards: Pick<Shards, 'count' | 'isWell'>;
  readonly #tables: Pick<Tables, 'problems'>;
  readonly #cluster: { readonly draining: boolean } | null;

  /** @param cluster null where the server is alone */
  constructor(
    api: Pick<JanusApi, 'acceptingSessions'>,
    shards: Pick<Shards, 'count' | 'isWell'>,
    tables: Pick<Tables, 'problems'>,
    cluster: { readonly draining: boolean } | null = null,
  ) {
    this.#api = api;
    this.#shards = shards;
    this.#tables = tables;
    this.#cluster = cluster;
  }

  /** A text for each thing that keeps nobody away, and yet needs somebody to look at it. */
  degradations(): string[] {
    return this.#tables.problems();
  }

  /** A text for each thing that is wrong; none = all is well. */
  problems(): string[] {
    const shards = Array.from({ length: this.#shards.count }, (_, shard) => shard);
    return [
      ...(this.#api.acceptingSessions ? [] : ['no new sessions are taken']),
      ...(this.#cluster?.draining ? ['no new rooms are taken'] : []),
      ...shards.filter((shard) => !this.#shards.isWell(shard)).map((shard) => `media worker ${shard} is not running`),
    ];
  }
}
