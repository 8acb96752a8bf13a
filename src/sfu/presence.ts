import type { ShardNumber, UserNumber } from '../../workers/protocol.js';
import type { Shards } from '../shards/pool.js';
import type { Blocks } from './blocks.js';
import { Interned } from './numbers.js';

const NUMBER_MAX = 2 ** 31 - 1;

/** The users and rooms that have joined handles: their numbers, and the blocks between them as the shards know them. */
export class Presence {
  readonly #shards: Pick<Shards, 'broadcast' | 'run'>;
  readonly #blocks: Blocks;
  readonly #users = new Interned<string>(NUMBER_MAX);
  readonly #rooms = new Interned<string>(NUMBER_MAX);
  /** Settles when the shards know a new user's blocks: until then none of its handles may relay. */
  readonly #known = new Map<string, Promise<void>>();

  constructor(shards: Pick<Shards, 'broadcast' | 'run'>, blocks: Blocks) {
    this.#shards = shards;
    this.#blocks = blocks;
  }

  get size(): { users: number; rooms: number } {
    return { users: this.#users.size, rooms: this.#rooms.size };
  }

  /** The room's number, while it has joined handles. */
  room(id: string): number | undefined {
    return this.#rooms.get(id);
  }

  /** One more handle of the user is in the room. Resolves when every shard knows whom the user doesn't hear. */
  async enter(user: string, room: string): Promise<{ user: UserNumber; room: number }> {
    const entered = this.#users.acquire(user);
    const roomNumber = this.#rooms.acquire(room).number;
    const hidden = entered.first ? this.#blocks.enter(user) : this.#blocks.hiddenFrom(user);
    const known = this.#known.get(user) ?? this.#tell(user, hidden, true);
    this.#known.set(user, known);
    try {
      await known;
    } catch (error) {
      this.#known.delete(user);
      this.leave(user, room);
      throw error;
    }
    return { user: entered.number, room: roomNumber };
  }

  /** One handle of the user less in the room. */
  leave(user: string, room: string): void {
    this.#rooms.release(room);
    const number = this.#users.get(user);
    if (this.#users.release(user) && number !== undefined) {
      this.#known.delete(user);
      // Told off under the old number: the user's next one has no blocks of the past. A shard that can't be told has
      // ended, and the one in its place knows no blocks at all.
      this.#tellNumbers(number, this.#blocks.leave(user), false).catch(() => {});
    }
  }

  /** The shards learn whether two users hear each other; nothing to tell while one of them is not there. */
  async setHidden(a: string, b: string, hidden: boolean): Promise<void> {
    await this.#tell(a, [b], hidden);
  }

  /** Tells one shard all blocks between present users: it has come in place of one that died. */
  async tellBlocks(shard: ShardNumber): Promise<void> {
    const told: Promise<unknown>[] = [];
    for (const user of this.#users.keys()) {
      const userA = this.#users.get(user) ?? 0;
      for (const other of this.#blocks.hiddenFrom(user)) {
        const userB = this.#users.get(other) ?? 0;
        if (userA < userB) told.push(this.#shards.run(shard, { type: 'set-blocked', userA, userB, blocked: true }));
      }
    }
    await Promise.all(told);
  }

  #tell(user: string, others: string[], blocked: boolean): Promise<void> {
    const number = this.#users.get(user);
    return number === undefined ? Promise.resolve() : this.#tellNumbers(number, others, blocked);
  }

  async #tellNumbers(userA: UserNumber, others: string[], blocked: boolean): Promise<void> {
    const requests = others.flatMap((other) => {
      const userB = this.#users.get(other);
      return userB === undefined || userB === userA
        ? []
        : [this.#shards.broadcast({ type: 'set-blocked', userA, userB, blocked })];
    });
    await Promise.all(requests);
  }
}
