import type { ShardNumber } from '../../workers/protocol.js';
import { OutcomeCounts } from '../observability/counts.js';
import type { LogFields } from '../observability/log.js';
import type { RemoteDescription } from '../sdp/parse.js';
import { ShardError, type Shards } from '../shards/pool.js';
import { type ClientFacts, type HandleSink, newHandle, type SfuHandle } from './handle.js';
import { Inspection } from './inspection.js';
import { KINDS, type Message, messageParser, type ParsedMessage } from './messages.js';
import { Moderation } from './moderation.js';
import { Interned } from './numbers.js';
import { Refusal } from './refusal.js';
import { type PluginReply, Rooms, type RoomsParts } from './rooms.js';
import type { PluginName } from './wire.js';

export const PLUGIN: PluginName = 'janus.plugin.sfu';

export interface PluginSettings {
  /** Longest room or user id, bytes of UTF-8. */
  idBytesMax: number;
  /** Milliseconds for which a subscription waits for its publisher to come. */
  subscribeWait: number;
}

/** The parts that the plugin puts together. */
export interface PluginParts extends RoomsParts {
  shards: Pick<Shards, 'onLost'>;
}

/** A checked session description of a client. */
export interface RemoteJsep {
  type: 'offer' | 'answer';
  description: RemoteDescription;
}

const HANDLE_NUMBER_MAX = 2 ** 32 - 1;

/** `janus.plugin.sfu`: handles come and go, and send messages; the answers and the events go out through their sinks. */
export class SfuPlugin {
  /** What operators may look at. */
  readonly inspection: Inspection;
  readonly #parts: PluginParts;
  readonly #rooms: Rooms;
  readonly #moderation: Moderation;
  readonly #parse: (body: unknown) => ParsedMessage;
  /** `other` is an empty body, or one that was not understood. */
  readonly #messages = new OutcomeCounts([...KINDS, 'other']);
  #idsRefused = 0;
  readonly #numbers = new Interned<SfuHandle['sink']>(HANDLE_NUMBER_MAX);

  constructor(settings: PluginSettings, parts: PluginParts) {
    this.#parts = parts;
    this.inspection = new Inspection(parts);
    this.#rooms = new Rooms(settings.subscribeWait, parts);
    this.#moderation = new Moderation(parts, this.#rooms, (handle) => this.detach(handle));
    this.#parse = messageParser(settings.idBytesMax);
    parts.shards.onLost((shard) => this.#onLost(shard));
    parts.peers.onTalking((handle) => this.#rooms.talking(handle));
  }

  /** Times something happened, since the start: messages by kind and outcome, the rest by what it was. */
  get counters() {
    const { attendance, blocks } = this.#parts;
    return {
      messages: this.#messages.read(),
      happenings: attendance.happened.read(),
      turnedAway: attendance.refused.read(),
      blocks: blocks.counters,
      idsRefused: this.#idsRefused,
    };
  }

  attach(sink: HandleSink, client: ClientFacts): SfuHandle {
    const handle = newHandle(this.#numbers.acquire(sink).number, sink, client);
    this.#parts.peers.add(handle);
    return handle;
  }

  /** Whether a description of this type can be taken now; null if so, else Janus' code and text. */
  checkType(handle: SfuHandle, type: RemoteJsep['type']): { code: number; reason: string } | null {
    const due = type === 'offer' || this.#parts.peers.awaitsAnswer(handle);
    return due ? null : { code: 469, reason: 'Unexpected ANSWER (did we offer?)' };
  }

  /** Whether what a description says can be taken now; null if so, else Janus' code and text. */
  checkJsep(handle: SfuHandle, { type, description }: RemoteJsep): { code: number; reason: string } | null {
    if (type === 'offer') return null;
    return this.checkType(handle, type) ?? this.#parts.peers.checkAnswer(handle, description);
  }

  /** Answers one message; the caller sends them one after the other. Never rejects. */
  async message(handle: SfuHandle, body: unknown, jsep: RemoteJsep | null): Promise<PluginReply> {
    let message: Message | null = null;
    try {
      const parsed = this.#parse(body);
      if (!parsed.ok && parsed.tooLong) this.#idsRefused += 1;
      if (!parsed.ok) throw new Refusal(parsed.reason);
      message = parsed.message;
      if (jsep?.type === 'offer' && message && asksForMedia(message)) {
        throw new Refusal('A message that subscribes to media is answered by an offer; it can not carry one.');
      }
      const reply: PluginReply = message ? await this.#act(handle, message) : { data: { success: true } };
      if (jsep?.type === 'offer') reply.jsep = await this.#parts.peers.acceptOffer(handle, jsep.description);
      if (jsep?.type === 'answer') await this.#parts.peers.acceptAnswer(handle, jsep.description);
      this.#messages.add(message?.kind ?? 'other', 'success');
      return reply;
    } catch (error) {
      return this.#refuse(handle, message, error);
    }
  }

  /** Ends a wait of the handle's messages, now or to come: something more important is in the queue, until resume(). */
  interrupt(handle: SfuHandle): void {
    handle.interrupts += 1;
    handle.waiting?.abort();
  }

  /** It is its turn: messages after it may wait again. */
  resume(handle: SfuHandle): void {
    handle.interrupts -= 1;
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
    const room = this.#rooms.leave(handle);
    await this.#parts.peers.remove(handle, room);
    this.#numbers.release(handle.sink);
  }

  /**
   * Puts a user out of a room.
   *
   * @param by the user of another server who wants it; null = an operator
   * @returns how many handles ended
   */
  async evict(room: string, user: string, by: string | null = null): Promise<number> {
    const handles = await this.#moderation.evict(room, user, by);
    if (by === null) this.#parts.log('info', 'kicked by an operator', { room, user, handles });
    else this.#parts.log('info', 'kicked', { room, user, by, handles });
    return handles;
  }

  /** Another server of the cluster took a block, or lifted one. Never rejects. */
  async learnBlock(user: string, whom: string, active: boolean): Promise<void> {
    try {
      await this.#moderation.learnBlock(user, whom, active);
    } catch (error) {
      this.#parts.log('error', 'a block of another node does not work yet', { user, whom, error: String(error) });
    }
  }

  /** Whether somebody is in the room. */
  isOccupied(room: string): boolean {
    return this.#parts.switchboard.roomMembers(room).length > 0;
  }

  /** The room is another server's from now on: makes everybody in it connect again, or puts them out. */
  dismiss(room: string, reason: string): void {
    const { switchboard, peers } = this.#parts;
    for (const { handle: number } of switchboard.roomMembers(room)) {
      const handle = peers.find(number);
      if (!handle || handle.client.reconnect?.(reason)) continue;
      void this.detach(handle).then(() => handle.sink.detached());
    }
  }

  /** For a server that ends: says a hangup to everybody who has a PeerConnection. */
  sayGoodbye(): void {
    for (const handle of this.#parts.peers.handles()) if (handle.peer) handle.sink.hangup('Close PC');
  }

  /** The texts of refusals and of shards are for people; what else was thrown is for the log only. */
  #refuse(handle: SfuHandle, message: Message | null, error: unknown): PluginReply {
    this.#messages.add(message?.kind ?? 'other', 'error');
    const text = error instanceof Error ? error.message : String(error);
    const forPeople = error instanceof Refusal || error instanceof ShardError;
    const member = this.#parts.switchboard.member(handle.number);
    const who = { handle: handle.number, room: member?.room ?? null, user: member?.user ?? null };
    const what = { ...(message && asked(message)), reason: text };
    this.#parts.log(error instanceof Refusal ? 'info' : 'error', 'refused', { ...who, ...what });
    const msg = forPeople ? text : 'The server failed to process this message; its log says why.';
    handle.errors.add(msg);
    const room = message?.kind === 'join' ? message.room_id : member?.room;
    const user = message?.kind === 'join' ? message.user_id : member?.user;
    if (room !== undefined && user !== undefined) this.#parts.attendance.turnedAway(room, user, text);
    return { data: { success: false, error: { msg } } };
  }

  async #act(handle: SfuHandle, message: Message): Promise<PluginReply> {
    switch (message.kind) {
      case 'join':
        return this.#rooms.join(handle, message);
      case 'subscribe':
        return this.#rooms.subscribe(handle, message);
      case 'kick':
        return this.#moderation.kick(handle, message);
      case 'block':
        return this.#moderation.setBlock(handle, 'block', message.whom);
      case 'unblock':
        return this.#moderation.setBlock(handle, 'unblock', message.whom);
      case 'data':
        return this.#rooms.data(handle, message);
      default:
        return message satisfies never;
    }
  }

  /** A worker died, and with it every PeerConnection on it: their clients are told, and are out of their rooms. */
  #onLost(shard: ShardNumber): void {
    const { peers, log } = this.#parts;
    const lost = peers.lose(shard);
    log('error', 'a media worker ended; its clients have to connect again', { shard, handles: lost.length });
    for (const handle of lost) {
      handle.sink.hangup('Close PC');
      handle.subscription = null;
      void peers.leave(handle, this.#rooms.leave(handle));
    }
  }
}

/** What a message asked for, for the log: its verb and ids; never its token or text. */
function asked(message: Message): LogFields {
  const { kind } = message;
  switch (kind) {
    case 'join':
      return { kind, room: message.room_id, user: message.user_id, media: message.subscribe?.media ?? null };
    case 'subscribe':
      return { kind, media: message.what.media ?? null };
    case 'kick':
      return { kind, fromRoom: message.room_id, whom: message.user_id };
    case 'block':
    case 'unblock':
    case 'data':
      return { kind, whom: message.whom ?? null };
  }
}

function asksForMedia(message: Message): boolean {
  if (message.kind === 'join') return typeof message.subscribe?.media === 'string';
  return message.kind === 'subscribe' && typeof message.what.media === 'string';
}
