import type { HandleDescription, ShardNumber } from '../../workers/protocol.js';
import { ShardError } from '../shards/pool.js';
import type { Blocks } from './blocks.js';
import type { SfuHandle } from './handle.js';
import type { Peers } from './peers.js';
import type { RecentError } from './recent-errors.js';
import type { Switchboard } from './switchboard.js';

/** What a handle is for: its client's media come in by it, or somebody else's go out. */
export type HandleKind = 'publisher' | 'subscriber';

/** A handle of the plugin as an operator sees it. */
export interface HandleView {
  handle: SfuHandle;
  /** Null until it joined. */
  room: string | null;
  user: string | null;
  /** Null while it has neither joined nor a PeerConnection. */
  kind: HandleKind | null;
  /** The user whose media it gets; null if it gets none. */
  source: string | null;
  /** Handles that get this one's media. */
  subscribers: number;
  shard: ShardNumber | null;
  errors: readonly RecentError[];
}

export interface UserView {
  user: string;
  /** Whether one of its handles publishes. */
  publisher: boolean;
  /** How many users it has blocked. */
  blocks: number;
  /** Those of them who are in the room. */
  blocked: string[];
  handles: HandleView[];
}

export interface RoomView {
  room: string;
  users: UserView[];
  /** Where its handles live. */
  shards: ShardNumber[];
}

export interface InspectionParts {
  switchboard: Pick<Switchboard, 'member' | 'rooms' | 'roomMembers' | 'size'>;
  peers: Pick<Peers, 'find' | 'describe' | 'size' | 'handles'>;
  blocks: Pick<Blocks, 'count' | 'blockedAmong'>;
}

const ANSWER_LIMIT = 2000;

/** What the plugin tells operators of its rooms, users and handles: reads only. */
export class Inspection {
  readonly #parts: InspectionParts;
  readonly #answerLimit: number;

  /** @param answerLimit milliseconds that a shard may take to describe a handle */
  constructor(parts: InspectionParts, answerLimit = ANSWER_LIMIT) {
    this.#parts = parts;
    this.#answerLimit = answerLimit;
  }

  handle(handle: SfuHandle): HandleView {
    const { switchboard } = this.#parts;
    const member = switchboard.member(handle.number);
    const { peer } = handle;
    const source = peer?.role === 'subscriber' ? switchboard.member(peer.source.number) : undefined;
    return {
      handle,
      room: member?.room ?? null,
      user: member?.user ?? null,
      kind: peer?.role ?? (member ? (member.publisher ? 'publisher' : 'subscriber') : null),
      source: source?.user ?? null,
      subscribers: handle.subscribers.size,
      shard: handle.shard,
      errors: handle.errors.list(),
    };
  }

  /** The rooms in which somebody is; with an id that one alone, if there is such a room. */
  rooms(id?: string): RoomView[] {
    const ids = this.#parts.switchboard.rooms();
    return (id === undefined ? ids : ids.filter((one) => one === id)).map((room) => this.#room(room));
  }

  #room(room: string): RoomView {
    const { switchboard, peers, blocks } = this.#parts;
    const users = new Map<string, UserView>();
    const shards = new Set<ShardNumber>();
    for (const member of switchboard.roomMembers(room)) {
      const { user } = member;
      const view = users.get(user) ?? { user, publisher: false, blocks: blocks.count(user), blocked: [], handles: [] };
      users.set(user, view);
      view.publisher ||= member.publisher;
      const handle = peers.find(member.handle);
      if (!handle) continue;
      view.handles.push(this.handle(handle));
      if (handle.shard !== null) shards.add(handle.shard);
    }
    for (const view of users.values()) view.blocked = blocks.blockedAmong(view.user, users);
    return { room, users: [...users.values()], shards: [...shards] };
  }

  totals(): { rooms: number; users: number; handles: number; joined: number } {
    const { rooms, users, members } = this.#parts.switchboard.size;
    return { rooms, users, handles: this.#parts.peers.size, joined: members };
  }

  /** Handles with a PeerConnection: those whose clients send by it, and those who get somebody's media. */
  connections(): { publishers: number; subscribers: number } {
    const roles = { publisher: 0, subscriber: 0 };
    for (const { peer } of this.#parts.peers.handles()) if (peer) roles[peer.role] += 1;
    return { publishers: roles.publisher, subscribers: roles.subscriber };
  }

  /**
   * What the handle's shard knows of its PeerConnection and streams.
   *
   * @returns null if it lives on none; `late` if that one died, or is too busy to answer
   */
  async describe(handle: SfuHandle): Promise<HandleDescription | null | 'late'> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#answerLimit);
    });
    try {
      return await Promise.race([this.#parts.peers.describe(handle), late]);
    } catch (error) {
      if (error instanceof ShardError) return 'late';
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
