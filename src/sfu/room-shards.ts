import type { ShardNumber } from '../../workers/protocol.js';
import type { SfuHandle } from './handle.js';

/** Tells one shard which shards have publishers of a room. */
type Tell = (shard: ShardNumber, room: number, shards: ShardNumber[]) => Promise<void>;

/** Which shards have publishers of a room: data messages cross between them, and new peers are made near them. */
export class RoomShards {
  readonly #tell: Tell;
  /** As they were last told, the shard of the first publisher first. */
  readonly #rooms = new Map<number, ShardNumber[]>();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** The room's home: the shard of its first publisher that is still there. */
  home(room: number): ShardNumber | undefined {
    return this.#rooms.get(room)?.[0];
  }

  /** Looks at a room's publishers again, and tells all shards concerned if something changed. */
  async update(room: number, handles: Iterable<SfuHandle>): Promise<void> {
    const before = this.#rooms.get(room) ?? [];
    const shards = new Set<ShardNumber>();
    for (const { joined, shard } of handles) {
      if (joined?.room === room && joined.publisher && shard !== null) shards.add(shard);
    }
    const now = [...before.filter((shard) => shards.delete(shard)), ...shards];
    if (now.length === before.length && now.every((shard, index) => shard === before[index])) return;
    if (now.length === 0) this.#rooms.delete(room);
    else this.#rooms.set(room, now);
    const told = new Set([...now, ...before]);
    await Promise.all([...told].map((shard) => this.#tell(shard, room, now)));
  }

  /** The shard died: it has publishers of no room. */
  lose(shard: ShardNumber): void {
    for (const [room, shards] of this.#rooms) {
      const left = shards.filter((one) => one !== shard);
      if (left.length === 0) this.#rooms.delete(room);
      else this.#rooms.set(room, left);
    }
  }
}
