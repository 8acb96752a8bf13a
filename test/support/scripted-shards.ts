/** Shards that are a script: real ones answer when they like, and can't be stopped at a moment of the test's choosing. */
import type { ShardNews, ShardNumber, ShardReply, ShardRequest } from '../../workers/protocol.js';
import { FINGERPRINT, PWD, UFRAG } from './sdp-corpus.js';

const LOCAL: NonNullable<ShardReply['local']> = {
  iceUfrag: UFRAG,
  icePwd: PWD,
  fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
  setup: 'actpass',
  candidates: [{ foundation: '1', priority: 1, address: '192.0.2.1', port: 50_000 }],
};

/** Two shards that do what they are asked at once, but for request types that are held. */
export class ScriptedShards {
  readonly requests: string[] = [];
  readonly #held = new Map<string, (() => void)[]>();
  #news: (shard: ShardNumber, news: ShardNews) => void = () => {};
  #lost: (shard: ShardNumber) => void = () => {};
  nextPlace = 0;
  /** null: the publisher's shard. */
  nextSubscriberPlace: ShardNumber | null = null;

  hold(type: ShardRequest['type']): void {
    this.#held.set(type, []);
  }

  /** Lets the held requests of a type go on. */
  go(type: ShardRequest['type']): void {
    const waiting = this.#held.get(type) ?? [];
    this.#held.delete(type);
    for (const next of waiting) next();
  }

  async run(shard: ShardNumber, request: ShardRequest): Promise<ShardReply> {
    const about = 'handle' in request ? ` ${request.handle}` : '';
    const detail = request.type === 'set-blocked' ? ` ${request.userA}-${request.userB} ${request.blocked}` : about;
    this.requests.push(`${shard}: ${request.type}${detail}`);
    const waiting = this.#held.get(request.type);
    if (waiting) await new Promise<void>((resolve) => waiting.push(resolve));
    return request.type === 'accept-offer' || request.type === 'make-offer' ? { local: LOCAL } : {};
  }

  async broadcast(request: ShardRequest): Promise<void> {
    await Promise.all([0, 1].map((shard) => this.run(shard, request)));
  }

  place(): ShardNumber {
    return this.nextPlace;
  }

  placeSubscriber(home: ShardNumber): ShardNumber {
    return this.nextSubscriberPlace ?? home;
  }

  onNews(listener: (shard: ShardNumber, news: ShardNews) => void): void {
    this.#news = listener;
  }

  onLost(listener: (shard: ShardNumber) => void): void {
    this.#lost = listener;
  }

  say(shard: ShardNumber, news: ShardNews): void {
    this.#news(shard, news);
  }

  die(shard: ShardNumber): void {
    this.#lost(shard);
  }
}
