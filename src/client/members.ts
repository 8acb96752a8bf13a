import { Pauses, retryDelay } from './back-off.js';
import { raise } from './deferred.js';
import { type IceServerSource, iceServersOf, type Peer, type Stream } from './environment.js';
import { asError } from './errors.js';
import type { Handle } from './handle.js';
import type { Session } from './session.js';
import { Subscriber } from './subscriber.js';

/** `here`: in the room, and its media not asked for. */
export type MemberState = 'here' | 'connecting' | 'live' | 'blocked' | 'left';

/** Somebody else in the room. */
export interface Member {
  readonly id: string;
  readonly state: MemberState;
  /** What keeps its media from coming; null if nothing does. */
  readonly problem: Error | null;
  readonly blockedByMe: boolean;
  readonly blockedByThem: boolean;
  readonly stream: Stream | null;
  /** The PeerConnection by which its media come. */
  readonly pc: Peer | null;
}

/** Whom this user has blocked; a Set will do. */
export interface BlockMemory {
  /** Whether that user is blocked. */
  has(user: string): boolean;
  /** That user is blocked from now on. */
  add(user: string): unknown;
  /** That user is not blocked any more. */
  delete(user: string): unknown;
}

export interface MembersParts {
  place: { room: string; user: string; token: string | null };
  iceServers: IceServerSource;
  /** Whether to subscribe to this user. */
  receives: (user: string) => boolean;
  blocked: BlockMemory;
  changed: (member: Member) => void;
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

interface Followed extends Writable<Member> {
  subscriber: Subscriber | null;
  connected: boolean;
}

/** The others in a room: who they are, and the subscriptions to them, each kept up for as long as its publisher is there. */
export class Members {
  readonly #parts: MembersParts;
  readonly #all = new Map<string, Followed>();
  readonly #pauses = new Pauses();

  constructor(parts: MembersParts) {
    this.#parts = parts;
  }

  get all(): ReadonlyMap<string, Member> {
    return this.#all;
  }

  /** Listens to what this handle is told of the room. */
  follow(handle: Handle): void {
    const { user, room } = this.#parts.place;
    const { session } = handle;
    // NOTIFY_SCOPE=server tells of other rooms too.
    handle.on('join', ({ user_id, room_id }) => {
      if (user_id !== user && room_id === room) this.#enter(session, user_id);
    });
    handle.on('leave', ({ user_id, room_id }) => {
      if (room_id === room) this.#exit(user_id);
    });
    handle.on('blocked', ({ by }) => this.#blockedByThem(by, true));
    handle.on('unblocked', ({ by }) => this.#blockedByThem(by, false));
  }

  /** These were there before. */
  present(session: Session, users: string[]): void {
    for (const id of users) if (id !== this.#parts.place.user && !this.#all.has(id)) this.#enter(session, id);
  }

  blockedByMe(user: string, blocked: boolean): void {
    if (blocked) this.#parts.blocked.add(user);
    else this.#parts.blocked.delete(user);
    const member = this.#all.get(user);
    if (!member) return;
    member.blockedByMe = blocked;
    this.#update(member);
  }

  /** This user is out of the room: nobody is there any more. */
  clear(): void {
    for (const id of [...this.#all.keys()]) this.#exit(id);
    this.cut();
  }

  /** Ends the pauses between attempts. */
  cut(): void {
    this.#pauses.cut();
  }

  #blockedByThem(by: string, blocked: boolean): void {
    const member = this.#all.get(by);
    if (!member) return;
    member.blockedByThem = blocked;
    this.#update(member);
  }

  /** A user came, or came back with a new PeerConnection: either way it is subscribed to anew. */
  #enter(session: Session, id: string): void {
    this.#all.get(id)?.subscriber?.close();
    const member: Followed = {
      id,
      state: 'connecting',
      problem: null,
      blockedByMe: this.#parts.blocked.has(id),
      blockedByThem: this.#all.get(id)?.blockedByThem ?? false,
      stream: null,
      pc: null,
      subscriber: null,
      connected: false,
    };
    this.#all.set(id, member);
    this.#update(member);
    if (this.#parts.receives(id)) void this.#subscribe(session, member);
  }

  #exit(id: string): void {
    const member = this.#all.get(id);
    if (!member) return;
    this.#all.delete(id);
    member.subscriber?.close();
    member.state = 'left';
    member.problem = null;
    this.#parts.changed(member);
  }

  /** Keeps a subscription to the user for as long as the user is there. */
  async #subscribe(session: Session, member: Followed): Promise<void> {
    const { place, iceServers } = this.#parts;
    for (let failures = 0; this.#all.get(member.id) === member; failures += 1) {
      try {
        const [handle, servers] = await Promise.all([session.attach(), iceServersOf(iceServers)]);
        const subscriber = new Subscriber(handle, { iceServers: servers });
        if (this.#all.get(member.id) !== member) return subscriber.close();
        subscriber.on('track', ({ stream }) => {
          member.stream = stream;
          this.#update(member);
        });
        member.subscriber = subscriber;
        member.pc = subscriber.pc;
        const lost = raise(subscriber.lost);
        await Promise.race([subscriber.subscribe(place, member.id), lost]);
        failures = 0;
        member.connected = true;
        member.problem = null;
        this.#update(member);
        await lost;
      } catch (error) {
        if (this.#all.get(member.id) !== member) return;
        member.subscriber?.close();
        member.subscriber = null;
        member.connected = false;
        member.problem = asError(error);
        this.#update(member);
      }
      await this.#pauses.wait(retryDelay(failures, Math.random()));
    }
  }

  #update(member: Followed): void {
    if (member.blockedByMe || member.blockedByThem) member.state = 'blocked';
    else if (!this.#parts.receives(member.id)) member.state = 'here';
    else member.state = member.connected ? 'live' : 'connecting';
    this.#parts.changed(member);
  }
}
