import type { ShardNumber } from '../../workers/protocol.js';
import type { Log } from '../observability/log.js';
import type { RemoteDescription } from '../sdp/parse.js';
import type { Shards } from '../shards/pool.js';
import { Arrivals } from './arrivals.js';
import type { Blocks } from './blocks.js';
import type { EventData, HandleSink, Jsep, SfuHandle } from './handle.js';
import {
  type DataMessage,
  type JoinMessage,
  type KickMessage,
  type Message,
  messageParser,
  type ParsedMessage,
  type SubscribeMessage,
} from './messages.js';
import { Interned } from './numbers.js';
import { PeerError, type Peers } from './peers.js';
import type { Presence } from './presence.js';
import type { Member, Notice, Switchboard } from './switchboard.js';
import type { Gatekeeper } from './token.js';

export const PLUGIN = 'janus.plugin.sfu';

export interface PluginSettings {
  /** Longest room or user id, bytes of UTF-8. */
  idBytesMax: number;
  /** Milliseconds for which a subscription waits for its publisher to come. */
  subscribeWait: number;
}

/** The parts that the plugin puts together. */
export interface PluginParts {
  switchboard: Switchboard;
  blocks: Blocks;
  presence: Presence;
  gatekeeper: Gatekeeper;
  peers: Peers;
  shards: Pick<Shards, 'onLost'>;
  log: Log;
}

/** A checked session description of a client. */
export interface RemoteJsep {
  type: 'offer' | 'answer';
  description: RemoteDescription;
}

/** The answer to a `message`: always one event. */
export interface PluginReply {
  data: EventData;
  jsep?: Jsep;
}

const HANDLE_NUMBER_MAX = 2 ** 32 - 1;
const NO_PUBLISHER = "Can't subscribe to a nonexistent publisher.";
const ONE_SUBSCRIPTION = 'Handles may only subscribe once!';

/** A refusal: `success: false` with a text for people. */
class Refusal extends Error {}

/** `janus.plugin.sfu`: handles come and go, and send messages; the answers and the events go out through their sinks. */
export class SfuPlugin {
  readonly #settings: PluginSettings;
  readonly #parts: PluginParts;
  readonly #parse: (body: unknown) => ParsedMessage;
  readonly #numbers = new Interned<SfuHandle['sink']>(HANDLE_NUMBER_MAX);
  readonly #arrivals = new Arrivals();

  constructor(settings: PluginSettings, parts: PluginParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#parse = messageParser(settings.idBytesMax);
    parts.shards.onLost((shard) => this.#onLost(shard));
  }

  /** @param sdpSession digits, unguessable, for the o= line of what we write to this handle (RFC 8866 5.2) */
  attach(sink: HandleSink, client: { session: object; loopback: boolean; sdpSession: string }): SfuHandle {
    const handle: SfuHandle = {
      number: this.#numbers.acquire(sink).number,
      sink,
      ...client,
      sdpVersion: 0,
      shard: null,
      peer: null,
      lastPlan: null,
      subscribers: new Set(),
      joined: null,
      subscription: null,
      waiting: null,
      gone: false,
    };
    this.#parts.peers.add(handle);
    return handle;
  }

  /** Whether a description can be taken now; null if so, else Janus' code and text. */
  checkJsep(handle: SfuHandle, { type, description }: RemoteJsep): { code: number; reason: string } | null {
    if (type === 'offer') return null;
    if (!this.#parts.peers.awaitsAnswer(handle)) return { code: 469, reason: 'Unexpected ANSWER (did we offer?)' };
    return this.#parts.peers.checkAnswer(handle, description);
  }

  /** Answers one message; the caller sends them one after the other. Never rejects. */
  async message(handle: SfuHandle, body: unknown, jsep: RemoteJsep | null): Promise<PluginReply> {
    try {
      const parsed = this.#parse(body);
      if (!parsed.ok) throw new Refusal(parsed.reason);
      const { message } = parsed;
      if (jsep?.type === 'offer' && message && asksForMedia(message)) {
        throw new Refusal('A message that subscribes to media is answered by an offer; it can not carry one.');
      }
      const reply: PluginReply = message ? await this.#act(handle, message) : { data: { success: true } };
      if (jsep?.type === 'offer') reply.jsep = await this.#parts.peers.acceptOffer(handle, jsep.description);
      if (jsep?.type === 'answer') await this.#parts.peers.acceptAnswer(handle, jsep.description);
      return reply;
    } catch (error) {
      const expected = error instanceof Refusal || error instanceof PeerError;
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.log(expected ? 'info' : 'error', 'refused', { handle: handle.number, reason });
      return { data: { success: false, error: { msg: reason } } };
    }
  }

  /** Ends a wait of the handle's current message: something more important is next. */
  interrupt(handle: SfuHandle): void {
    handle.waiting?.abort();
  }

  /** Returns whether there was a PeerConnection. */
  hangup(handle: SfuHandle): Promise<boolean> {
    return this.#parts.peers.hangup(handle);
  }

  /** The handle is gone; resolves when its PeerConnection is closed. Its room is told at once. */
  async detach(handle: SfuHandle): Promise<void> {
    if (handle.gone) return;
    handle.gone = true;
    this.interrupt(handle);
    const room = this.#leaveRoom(handle);
    await this.#parts.peers.remove(handle, room);
    this.#numbers.release(handle.sink);
  }

  /** For a server that ends: says a hangup to everybody who has a PeerConnection. */
  sayGoodbye(): void {
    for (const handle of this.#parts.peers.handles()) if (handle.peer) handle.sink.hangup('Close PC');
  }

  async #act(handle: SfuHandle, message: Message): Promise<PluginReply> {
    switch (message.kind) {
      case 'join':
        return this.#join(handle, message);
      case 'subscribe':
        return this.#subscribe(handle, message);
      case 'kick':
        return this.#kick(handle, message);
      case 'block':
        return this.#setBlock(handle, 'block', message.whom);
      case 'unblock':
        return this.#setBlock(handle, 'unblock', message.whom);
      case 'data':
        return this.#data(handle, message);
      default:
        return message satisfies never;
    }
  }

  async #join(handle: SfuHandle, message: JoinMessage): Promise<PluginReply> {
    const { switchboard, gatekeeper, log } = this.#parts;
    const { room_id: room, user_id: user, subscribe } = message;
    if (handle.joined) throw new Refusal('Handles may only join once!');
    if (subscribe && handle.subscription && asksForSomething(subscribe)) throw new Refusal(ONE_SUBSCRIPTION);
    const permission = gatekeeper.join(message.token ?? null, room, user);
    if (!permission.ok) throw new Refusal(permission.reason);

    const wants = {
      publisher: subscribe?.data ?? handle.subscription?.publisher ?? false,
      notifications: subscribe?.notifications ?? handle.subscription?.notifications ?? false,
    };
    const mayHear = (other: string) => other === room || (permission.rooms?.includes(other) ?? true);
    this.#checkEarlySubscription(handle, mayHear);
    // Asked before the wait, so that nobody waits for a refusal, and again at admission, where it counts.
    const refusal = wants.publisher ? switchboard.refusal(room, user) : null;
    if (refusal) throw new Refusal(refusal);
    const media = subscribe?.media ?? null;
    const source = media === null ? null : await this.#publisher(handle, media, mayHear);
    const full = switchboard.admit({ handle: handle.number, room, user, ...wants });
    if (full) throw new Refusal(full);
    let jsep: Jsep | null;
    try {
      jsep = await this.#enter(handle, { room, user, publisher: wants.publisher }, source);
    } catch (error) {
      const hadPeer = handle.peer !== null;
      await this.#parts.peers.leave(handle, this.#leaveRoom(handle));
      if (hadPeer) handle.sink.hangup('Close PC');
      throw error;
    }
    const { users, notices } = switchboard.announce(handle.number);
    if (subscribe && asksForSomething(subscribe)) handle.subscription = wants;
    log('info', 'joined', { handle: handle.number, room, user, publisher: wants.publisher, media });
    this.#deliver(notices);
    if (wants.publisher) this.#arrivals.announce(user);
    return { data: { success: true, response: { users: { [room]: users } } }, ...(jsep && { jsep }) };
  }

  /** The part of a join that others must be ready for: the shards, and the offer if media was asked for. */
  async #enter(
    handle: SfuHandle,
    place: { room: string; user: string; publisher: boolean },
    source: SfuHandle | null,
  ): Promise<Jsep | null> {
    const numbers = await this.#parts.presence.enter(place.user, place.room);
    if (handle.gone) {
      this.#parts.presence.leave(place.user, place.room);
      throw new Refusal('The handle is gone.');
    }
    handle.joined = { ...numbers, publisher: place.publisher };
    await this.#parts.peers.join(handle);
    const jsep = source && (await this.#parts.peers.subscribe(handle, source));
    if (handle.gone) throw new Refusal('The handle is gone.');
    return jsep;
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

  async #subscribe(handle: SfuHandle, message: SubscribeMessage): Promise<PluginReply> {
    const { switchboard, gatekeeper, peers, log } = this.#parts;
    const { what } = message;
    if (handle.subscription) throw new Refusal(ONE_SUBSCRIPTION);
    const member = switchboard.member(handle.number);
    const permission = gatekeeper.subscribe(message.token ?? null, member !== undefined, member?.user ?? null);
    if (!permission.ok) throw new Refusal(permission.reason);
    const wants = { publisher: what.data ?? false, notifications: what.notifications ?? false };
    const mayHear = (room: string) => room === member?.room || (permission.rooms?.includes(room) ?? true);
    const media = what.media ?? null;
    const source = media === null ? null : await this.#publisher(handle, media, mayHear);
    const refusal = member && wants.publisher ? switchboard.refusal(member.room, member.user) : null;
    if (refusal) throw new Refusal(refusal);
    const jsep = source && (await peers.subscribe(handle, source));
    if (handle.gone) throw new Refusal('The handle is gone.');
    if (member) await this.#upgrade(handle, member, wants);
    if (asksForSomething(what)) handle.subscription = wants;
    log('info', 'subscribed', { handle: handle.number, user: member?.user ?? null, publisher: wants.publisher, media });
    return { data: { success: true, response: {} }, ...(jsep && { jsep }) };
  }

  async #upgrade(
    handle: SfuHandle,
    member: Member,
    wants: { publisher: boolean; notifications: boolean },
  ): Promise<void> {
    const notices = this.#parts.switchboard.upgrade(handle.number, wants);
    if (typeof notices === 'string') throw new Refusal(notices);
    if (wants.publisher && handle.joined) {
      handle.joined = { ...handle.joined, publisher: true };
      await this.#parts.peers.join(handle);
      this.#arrivals.announce(member.user);
    }
    this.#deliver(notices);
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
    const end = performance.now() + this.#settings.subscribeWait;
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

  async #setBlock(handle: SfuHandle, verb: 'block' | 'unblock', whom: string): Promise<PluginReply> {
    const { switchboard, blocks, presence, log } = this.#parts;
    const member = switchboard.member(handle.number);
    if (!member?.announced) throw new Refusal(`Cannot ${verb} when not in a room.`);
    const change = blocks[verb](member.user, whom);
    if (!change.ok) throw new Refusal(change.reason);
    const [told, saved] = await Promise.allSettled([
      change.changed ? presence.setHidden(member.user, whom, change.hidden) : Promise.resolve(),
      change.saved,
    ]);
    if (told.status === 'rejected') throw told.reason;
    log('info', `${verb}ed`, { handle: handle.number, user: member.user, whom });
    this.#deliver(switchboard.blockNotices(`${verb}ed`, member.user, whom));
    if (verb === 'unblock' && change.changed && !change.hidden) this.#refresh([member.user, whom]);
    if (saved.status === 'rejected') {
      log('error', 'a block could not be saved', { user: member.user, whom, reason: String(saved.reason) });
      throw new Refusal(`The ${verb} works now, but it could not be saved: a restart of the server will undo it.`);
    }
    return { data: { success: true, response: {} } };
  }

  /** Who sees each other again needs a whole picture to start from. */
  #refresh(users: string[]): void {
    for (const member of users.flatMap((user) => this.#parts.switchboard.userMembers(user))) {
      const handle = this.#parts.peers.find(member.handle);
      if (handle) this.#parts.peers.requestKeyframe(handle);
    }
  }

  #data(handle: SfuHandle, message: DataMessage): PluginReply {
    const { switchboard, blocks } = this.#parts;
    const sender = switchboard.member(handle.number);
    if (!sender?.announced) throw new Refusal('Cannot send data when not in a room.');
    const data = { event: 'data', body: message.body, from: sender.user };
    const receivers = switchboard.dataReceivers(sender, message.whom ?? null);
    this.#deliver(
      receivers.filter((member) => !blocks.hides(sender.user, member.user)).map(({ handle: to }) => ({ to, data })),
    );
    return { data: { success: true, response: {} } };
  }

  async #kick(handle: SfuHandle, message: KickMessage): Promise<PluginReply> {
    const { switchboard, gatekeeper, peers, log } = this.#parts;
    const { room_id: room, user_id: user } = message;
    const permission = gatekeeper.kick(message.token ?? null, room);
    if (!permission.ok) throw new Refusal(permission.reason);
    const targets = switchboard.userMembers(user).filter((member) => member.room === room);
    log('info', 'kicked', { handle: handle.number, room, user, handles: targets.length });
    const ended = targets.flatMap((member) => {
      const target = peers.find(member.handle);
      return target ? [this.detach(target).then(() => target.sink.detached())] : [];
    });
    await Promise.all(ended);
    return { data: { success: true, response: {} } };
  }

  /** Takes the handle out of its room and tells the others. Returns its room's number. */
  #leaveRoom(handle: SfuHandle): number | null {
    const { switchboard, presence, peers, log } = this.#parts;
    const member = switchboard.member(handle.number);
    const { joined } = handle;
    handle.joined = null;
    if (!member) return null;
    const notices = switchboard.leave(handle.number);
    if (joined) {
      const ended = presence.leave(member.user, member.room);
      if (ended !== null) peers.forgetRoom(ended);
    }
    if (member.announced) log('info', 'left', { handle: handle.number, room: member.room, user: member.user });
    this.#deliver(notices);
    return joined?.room ?? null;
  }

  #deliver(notices: Notice[]): void {
    for (const { to, data } of notices) this.#parts.peers.find(to)?.sink.event(data);
  }

  /** A worker died, and with it every PeerConnection on it: their clients are told, and are out of their rooms. */
  #onLost(shard: ShardNumber): void {
    const { peers, log } = this.#parts;
    const lost = peers.lose(shard);
    log('error', 'a media worker ended; its clients have to connect again', { shard, handles: lost.length });
    for (const handle of lost) {
      handle.sink.hangup('Close PC');
      handle.subscription = null;
      void peers.leave(handle, this.#leaveRoom(handle));
    }
  }
}

/** An empty subscription doesn't use up the one that a handle has. */
function asksForSomething({ data, notifications, media }: SubscribeMessage['what']): boolean {
  return data === true || notifications === true || typeof media === 'string';
}

function asksForMedia(message: Message): boolean {
  if (message.kind === 'join') return typeof message.subscribe?.media === 'string';
  return message.kind === 'subscribe' && typeof message.what.media === 'string';
}
