import type { HandleNumber } from '../../workers/protocol.js';
import type { RoomEvent } from './wire.js';

/** A handle that has joined: it is in one room, as one user, until it leaves. */
export interface Member {
  readonly handle: HandleNumber;
  readonly room: string;
  readonly user: string;
  /** Subscribed to data: listed, announced, counted. Anything else is a subscriber, whatever it offers. */
  publisher: boolean;
  /** Wants to be told who joins, leaves, blocks. */
  notifications: boolean;
  /** Wants to be told who talks. */
  talking: boolean;
  /** False while its place is kept but nobody knows of it yet. */
  announced: boolean;
}

/** What a member asks for beside media. */
export type Wants = Pick<Member, 'publisher' | 'notifications' | 'talking'>;

/** Why nobody more may publish, as clients are told. */
export const ROOM_FULL = 'Room is full.';
export const SERVER_FULL = 'Server is full.';

/** An event for one handle: `data` of its `plugindata`. */
export interface Notice {
  to: HandleNumber;
  data: RoomEvent;
}

export interface SwitchboardSettings {
  /** Most publishing users of a room; 0 = no limit. */
  maxRoomSize: number;
  /** Most publishing users of the server; 0 = no limit. */
  maxCcu: number;
  /** Who learns of joins and leaves: the room, or everybody on the server. */
  notifyScope: 'room' | 'server';
  /** Whether the users of a join reply include the joiner. */
  replyIncludesSelf: boolean;
}

/**
 * Who is in which room. Every step is a function of the state and one event, done at once, and says what is to be told
 * to whom; telling it, and everything about media, is the caller's.
 */
export class Switchboard {
  readonly #settings: SwitchboardSettings;
  readonly #members = new Map<HandleNumber, Member>();
  readonly #rooms = new Map<string, Set<Member>>();
  readonly #users = new Map<string, Set<Member>>();
  /** The rooms' publishers: a room of 30 has 900 members, most of which only subscribe. */
  readonly #publishers = new Map<string, Set<Member>>();
  /** Users who publish, and by how many members. */
  readonly #publishing = new Map<string, number>();

  constructor(settings: SwitchboardSettings) {
    this.#settings = settings;
  }

  get size(): { members: number; rooms: number; users: number } {
    return { members: this.#members.size, rooms: this.#rooms.size, users: this.#users.size };
  }

  member(handle: HandleNumber): Member | undefined {
    return this.#members.get(handle);
  }

  /** The rooms that somebody is in. */
  rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  /** The announced members of a room, in the order in which they came. */
  roomMembers(room: string): Member[] {
    return [...(this.#rooms.get(room) ?? [])].filter((member) => member.announced);
  }

  /** A user's announced members, in the order in which they came. */
  userMembers(user: string): Member[] {
    return [...(this.#users.get(user) ?? [])].filter((member) => member.announced);
  }

  /** Why this user may not publish in this room, if so. A user who publishes there already may. */
  refusal(room: string, user: string): string | null {
    const { maxRoomSize, maxCcu } = this.#settings;
    const own = this.#users.get(user) ?? new Set();
    if ([...own].some((member) => member.publisher && member.room === room)) return null;
    if (maxRoomSize > 0 && usersOf(this.#publishers.get(room) ?? []).size >= maxRoomSize) return ROOM_FULL;
    if (this.#publishing.has(user)) return null;
    if (maxCcu > 0 && this.#publishing.size >= maxCcu) return SERVER_FULL;
    return null;
  }

  /**
   * Keeps a place for a joiner: counted in the limits from now on, listed to nobody before `announce`.
   *
   * @returns why not, or null
   */
  admit(joiner: Omit<Member, 'announced'>): string | null {
    if (this.#members.has(joiner.handle)) return 'Handles may only join once!';
    const refusal = joiner.publisher ? this.refusal(joiner.room, joiner.user) : null;
    if (refusal) return refusal;
    const member: Member = { ...joiner, announced: false };
    this.#members.set(member.handle, member);
    addTo(this.#rooms, member.room, member);
    addTo(this.#users, member.user, member);
    if (member.publisher) this.#publishes(member);
    return null;
  }

  /** The joiner is there: the others' notices, and the publishers of its room as its reply lists them. */
  announce(handle: HandleNumber): { users: string[]; notices: Notice[] } {
    const member = this.#must(handle);
    const users = usersOf(this.#announcedPublishers(member.room));
    member.announced = true;
    // A publisher that finds itself listed takes that for a session of its past (naf-janus-adapter) and starts over.
    if (member.publisher && this.#settings.replyIncludesSelf) users.add(member.user);
    else if (member.publisher) users.delete(member.user);
    return { users: [...users], notices: member.publisher ? this.#notices('join', member) : [] };
  }

  /** A subscribe message changed what a member gets; it may have become a publisher, within the limits. */
  upgrade(handle: HandleNumber, wants: Wants): string | Notice[] {
    const member = this.#must(handle);
    const becomesPublisher = wants.publisher && !member.publisher;
    const refusal = becomesPublisher ? this.refusal(member.room, member.user) : null;
    if (refusal) return refusal;
    member.publisher ||= wants.publisher;
    if (becomesPublisher) this.#publishes(member);
    member.notifications ||= wants.notifications;
    member.talking ||= wants.talking;
    return becomesPublisher ? this.#notices('join', member) : [];
  }

  /** The member is gone; when it was its user's last one in the room, the others are told. */
  leave(handle: HandleNumber): Notice[] {
    const member = this.#members.get(handle);
    if (!member) return [];
    this.#members.delete(handle);
    removeFrom(this.#rooms, member.room, member);
    removeFrom(this.#users, member.user, member);
    if (member.publisher) this.#publishesNoMore(member);
    if (!member.announced) return [];
    const stays = this.userMembers(member.user).some((other) => other.room === member.room);
    return stays ? [] : this.#notices('leave', member);
  }

  /** The publisher of this user to subscribe to: the newest one in a room that may be heard. */
  publisherOf(user: string, mayHear: (room: string) => boolean): Member | null {
    return this.userMembers(user).findLast((member) => member.publisher && mayHear(member.room)) ?? null;
  }

  /** Who gets a data message: the room's publishers but the sender's own, or those of `whom` in that room. */
  dataReceivers(sender: Member, whom: string | null): Member[] {
    return this.#announcedPublishers(sender.room).filter(({ user }) =>
      whom === null ? user !== sender.user : user === whom,
    );
  }

  /** A `blocked` or `unblocked` event for each handle of `whom` that wants notifications. */
  blockNotices(event: 'blocked' | 'unblocked', by: string, whom: string): Notice[] {
    return this.userMembers(whom)
      .filter((member) => member.notifications)
      .map((member) => ({ to: member.handle, data: { event, by } }));
  }

  /** Who in the room is to be told that a member talks, or has stopped: whoever asked, and is somebody else. */
  talkingAudience(about: Member): Member[] {
    return this.roomMembers(about.room).filter((member) => member.talking && member.user !== about.user);
  }

  #announcedPublishers(room: string): Member[] {
    return [...(this.#publishers.get(room) ?? [])].filter((member) => member.announced);
  }

  #publishes(member: Member): void {
    addTo(this.#publishers, member.room, member);
    this.#publishing.set(member.user, (this.#publishing.get(member.user) ?? 0) + 1);
  }

  #publishesNoMore(member: Member): void {
    removeFrom(this.#publishers, member.room, member);
    const left = (this.#publishing.get(member.user) ?? 0) - 1;
    if (left > 0) this.#publishing.set(member.user, left);
    else this.#publishing.delete(member.user);
  }

  #must(handle: HandleNumber): Member {
    const member = this.#members.get(handle);
    if (!member) throw new Error(`handle ${handle} has not joined`);
    return member;
  }

  #notices(event: 'join' | 'leave', about: Member): Notice[] {
    const audience = this.#settings.notifyScope === 'server' ? this.#members.values() : this.roomMembers(about.room);
    const data = { event, user_id: about.user, room_id: about.room };
    return [...audience]
      .filter((member) => member.announced && member.notifications && member.user !== about.user)
      .map((member) => ({ to: member.handle, data }));
  }
}

function usersOf(members: Iterable<Member>): Set<string> {
  const users = new Set<string>();
  for (const { user } of members) users.add(user);
  return users;
}

function addTo(index: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = index.get(key) ?? new Set();
  index.set(key, set.add(member));
}

function removeFrom(index: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = index.get(key);
  set?.delete(member);
  if (set?.size === 0) index.delete(key);
}
