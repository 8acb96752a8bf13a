import type { Log } from '../observability/log.js';
import { Arrivals } from './arrivals.js';
import type { Attendance } from './attendance.js';
import type { Blocks } from './blocks.js';
import type { Gatekeeper } from './gatekeeper.js';
import type { LocalJsep, SfuHandle } from './handle.js';
import type { DataMessage, JoinMessage, SubscribeMessage } from './messages.js';
import type { Peers } from './peers.js';
import type { Presence } from './presence.js';
import { Refusal } from './refusal.js';
import type { RoomAuthority } from './room-authority.js';
import type { Member, Notice, Switchboard, Wants } from './switchboard.js';
import type { DataEvent, Failure, Success, TalkingEvent } from './wire.js';

/** The answer to a `message`: always one event. */
export interface PluginReply {
  data: Success | Failure;
  jsep?: LocalJsep;
  /** The handle is to end when this is said: it has put itself out. */
  last?: boolean;
}

export interface RoomsParts {
  switchboard: Switchboard;
  attendance: Attendance;
  blocks: Blocks;
  presence: Presence;
  gatekeeper: Gatekeeper;
  peers: Peers;
  /** Whose the rooms are. */
  authority: RoomAuthority;
  log: Log;
}

const NO_PUBLISHER = "Can't subscribe to a nonexistent publisher.";
const ONE_SUBSCRIPTION = 'Handles may only subscribe once!';

/** @throws Refusal where a claim (`RoomAuthority.claim`) says that the room is not this server's */
async function serveHere(claim: ReturnType<RoomAuthority['claim']>): Promise<void> {
  const elsewhere = claim && (await claim);
  if (elsewhere !== null) throw new Refusal(elsewhere);
}

/** Coming into rooms, subscribing, talking there and leaving: the switchboard's steps, put into effect. */
export class Rooms {
  readonly #parts: RoomsParts;
  readonly #subscribeWait: number;
  readonly #arrivals = new Arrivals();

  /** @param subscribeWait milliseconds for which a subscription waits for its publisher to come */
  constructor(subscribeWait: number, parts: RoomsParts) {
    this.#subscribeWait = subscribeWait;
    this.#parts = parts;
  }

  /** Answers a `join`. */
  async join(handle: SfuHandle, message: JoinMessage): Promise<PluginReply> {
    const { switchboard, gatekeeper, authority, log } = this.#parts;
    const { room_id: room, user_id: user, subscribe } = message;
    const permission = gatekeeper.join(message.token ?? null, room, user);
    if (!permission.ok) throw new Refusal(permission.reason);
    if (handle.joined) {
      const full = subscribe?.data ? switchboard.refusal(room, user) : null;
      throw new Refusal(full ?? 'Handles may only join once!');
    }
    if (subscribe && handle.subscription && asksForSomething(subscribe)) throw new Refusal(ONE_SUBSCRIPTION);
    const claim = () => authority.claim(room, user, handle.client);
    await serveHere(claim());

    const wants = {
      publisher: subscribe?.data ?? handle.subscription?.publisher ?? false,
      notifications: subscribe?.notifications ?? handle.subscription?.notifications ?? false,
      talking: subscribe?.talking ?? handle.subscription?.talking ?? false,
    };
    const mayHear = (other: string) => other === room || (permission.rooms?.includes(other) ?? true);
    this.#checkEarlySubscription(handle, mayHear);
    // Asked before the wait, so that nobody waits for a refusal, and again at admission, where it counts.
    const refusal = wants.publisher ? switchboard.refusal(room, user) : null;
    if (refusal) throw new Refusal(refusal);
    const media = subscribe?.media ?? null;
    const source = media === null ? null : await this.#publisher(handle, media, mayHear);
    if (permission.token && gatekeeper.isBanned(permission.token))
      throw new Refusal('Rejecting join with banned token!');
    const full = switchboard.admit({ handle: handle.number, room, user, ...wants });
    if (full) throw new Refusal(full);
    let jsep: LocalJsep | null;
    try {
      jsep = await this.#enter(handle, { room, user, publisher: wants.publisher }, source);
      // The room may have become another server's meanwhile: nothing may lie between its answer and the announcement.
      for (let asked = claim(); asked !== null; asked = claim()) await serveHere(asked);
      if (handle.gone) throw new Refusal('The handle is gone.');
    } catch (error) {
      const hadPeer = handle.peer !== null;
      await this.#parts.peers.leave(handle, this.leave(handle));
      if (hadPeer) handle.sink.hangup('Close PC');
      throw error;
    }
    handle.token = permission.token;
    const { users, notices } = switchboard.announce(handle.number);
    this.#parts.attendance.came(room, user);
    if (subscribe && asksForSomething(subscribe)) handle.subscription = wants;
    log('info', 'joined', { handle: handle.number, room, user, publisher: wants.publisher, media });
    this.deliver(notices);
    if (wants.publisher) this.#arrivals.announce(user);
    return { data: { success: true, response: { users: { [room]: users } } }, ...(jsep && { jsep }) };
  }

  /** The part of a join that others must be ready for: the shards, and the offer if media was asked for. */
  async #enter(
    handle: SfuHandle,
    place: { room: string; user: string; publisher: boolean },
    source: SfuHandle | null,
  ): Promise<LocalJsep | null> {
    const numbers = await this.#parts.presence.enter(place.user, place.room);
    if (handle.gone) {
      this.#parts.presence.leave(place.user, place.room);
      throw new Refusal('The handle is gone.');
    }
    handle.joined = { ...numbers, publisher: place.publisher };
    await this.#parts.peers.join(handle);
    return source && this.#parts.peers.subscribe(handle, source);
  }

  /** A handle that subscribed before it joined is held to the same rooms as one that subscribes while joining. */
  #checkEarlySubscription(handle: SfuHandle, mayHear: (room: string) => boolean): void {
    if (handle.peer?.role !== 'subscriber') return;
    const source = this.#parts.switchboard.member(handle.peer.source.number);
    if (!source || !mayHear(source.room)) {
      throw new Refusal(
        'This handle has subscribed to a publisher of another room; join that one, or attach another handle.',
      );
    }
  }

  /** Answers a `subscribe` message. */
  async subscribe(handle: SfuHandle, message: SubscribeMessage): Promise<PluginReply> {
    const { switchboard, gatekeeper, peers, log } = this.#parts;
    const { what } = message;
    if (handle.subscription) throw new Refusal(ONE_SUBSCRIPTION);
    const member = switchboard.member(handle.number);
    const permission = gatekeeper.subscribe(message.token ?? null, member !== undefined, member?.user ?? null);
    if (!permission.ok) throw new Refusal(permission.reason);
    const wants: Wants = {
      publisher: what.data ?? false,
      notifications: what.notifications ?? false,
      talking: what.talking ?? false,
    };
    const mayHear = (room: string) => room === member?.room || (permission.rooms?.includes(room) ?? true);
    const media = what.media ?? null;
    const source = media === null ? null : await this.#publisher(handle, media, mayHear);
    const refusal = member && wants.publisher ? switchboard.refusal(member.room, member.user) : null;
    if (refusal) throw new Refusal(refusal);
    const jsep = source && (await peers.subscribe(handle, source));
    if (handle.gone) throw new Refusal('The handle is gone.');
    try {
      if (member) await this.#upgrade(handle, member, wants);
    } catch (error) {
      if (jsep) await peers.hangup(handle);
      throw error;
    }
    if (asksForSomething(what)) handle.subscription = wants;
    const who = { handle: handle.number, room: member?.room ?? null, user: member?.user ?? null };
    log('info', 'subscribed', { ...who, publisher: wants.publisher, media });
    return { data: { success: true, response: {} }, ...(jsep && { jsep }) };
  }

  async #upgrade(handle: SfuHandle, member: Member, wants: Wants): Promise<void> {
    const notices = this.#parts.switchboard.upgrade(handle.number, wants);
    if (typeof notices === 'string') throw new Refusal(notices);
    if (wants.publisher && handle.joined) {
      handle.joined = { ...handle.joined, publisher: true };
      await this.#parts.peers.join(handle);
      this.#arrivals.announce(member.user);
    }
    this.deliver(notices);
  }

  /** The handle to subscribe to, waited for if it isn't there yet. */
  async #publisher(handle: SfuHandle, user: string, mayHear: (room: string) => boolean): Promise<SfuHandle> {
    if (handle.peer?.role === 'publisher') {
      throw new Refusal(
        'This handle has a PeerConnection that its client offered; to get media, attach another handle.',
      );
    }
    if (handle.peer) throw new Refusal(ONE_SUBSCRIPTION);
    const { switchboard, peers } = this.#parts;
    const waiting = new AbortController();
    handle.waiting = waiting;
    const end = performance.now() + (handle.interrupts > 0 ? 0 : this.#subscribeWait);
    try {
      for (;;) {
        const member = switchboard.publisherOf(user, mayHear);
        const source = member && peers.find(member.handle);
        if (source === handle) throw new Refusal("A handle can't subscribe to itself; attach another one.");
        if (source && !handle.gone) return source;
        if (!(await this.#arrivals.next(user, end - performance.now(), waiting.signal)))
          throw new Refusal(NO_PUBLISHER);
      }
    } finally {
      handle.waiting = null;
    }
  }

  /** Answers a `data` message. */
  data(handle: SfuHandle, message: DataMessage): PluginReply {
    const { switchboard, blocks } = this.#parts;
    const sender = switchboard.member(handle.number);
    if (!sender?.announced) throw new Refusal('Cannot send data when not in a room.');
    const data: DataEvent = { event: 'data', body: message.body, from: sender.user };
    const receivers = switchboard.dataReceivers(sender, message.whom ?? null);
    this.deliver(
      receivers.filter((member) => !blocks.hides(sender.user, member.user)).map(({ handle: to }) => ({ to, data })),
    );
    return { data: { success: true, response: {} } };
  }

  /** A publisher talks, or has stopped: tells those of its room who asked for it, but not through a block. */
  talking(handle: SfuHandle): void {
    const { switchboard, blocks } = this.#parts;
    const about = switchboard.member(handle.number);
    if (!about?.announced || !about.publisher) return;
    const data: TalkingEvent = { event: 'talking', user_id: about.user, room_id: about.room, talking: handle.talking };
    const audience = switchboard.talkingAudience(about).filter((member) => !blocks.hides(about.user, member.user));
    this.deliver(audience.map(({ handle: to }) => ({ to, data })));
  }

  /** Takes the handle out of its room and tells the others. Returns the number of the room that has a publisher less, if so. */
  leave(handle: SfuHandle): number | null {
    const { switchboard, presence, log } = this.#parts;
    const member = switchboard.member(handle.number);
    const { joined } = handle;
    handle.joined = null;
    if (!member) return null;
    const notices = switchboard.leave(handle.number);
    if (joined) presence.leave(member.user, member.room);
    if (member.announced) {
      log('info', 'left', { handle: handle.number, room: member.room, user: member.user });
      this.#parts.attendance.went(member.room, member.user);
    }
    this.deliver(notices);
    return joined?.publisher ? joined.room : null;
  }

  /** Sends notices to those of their handles that are still there. */
  deliver(notices: Notice[]): void {
    for (const { to, data } of notices) this.#parts.peers.find(to)?.sink.event(data);
  }
}

/** An empty subscription doesn't use up the one that a handle has. */
function asksForSomething({ data, notifications, talking, media }: SubscribeMessage['what']): boolean {
  return data === true || notifications === true || talking === true || typeof media === 'string';
}
