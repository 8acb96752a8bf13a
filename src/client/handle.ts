import type { HandleEvent, MediaEvent, PluginEvent, SlowlinkEvent, TrickledCandidate } from '../janus/wire.js';
import type {
  BlockedEvent,
  DataEvent,
  JoinEvent,
  Jsep,
  LeaveEvent,
  RequestBody,
  Success,
  TalkingEvent,
  UnblockedEvent,
} from '../sfu/wire.js';
import { Emitter } from './emitter.js';
import type { BareCandidate } from './environment.js';
import { Closed, JanusRefusal, NoAnswer, Refused, Removed } from './errors.js';
import type { Session } from './session.js';

/** What may come for a handle without being asked for. */
export interface HandleEvents {
  join: JoinEvent;
  leave: LeaveEvent;
  blocked: BlockedEvent;
  unblocked: UnblockedEvent;
  talking: TalkingEvent;
  data: DataEvent;
  /** ICE and DTLS are up. */
  webrtcup: object;
  /** The server gets media of a line, or no more. */
  media: Pick<MediaEvent, 'mid' | 'type' | 'receiving'>;
  /** Many packets were lost in the last second: the server's if `uplink`, else this client's. */
  slowlink: Pick<SlowlinkEvent, 'mid' | 'media' | 'uplink' | 'lost'>;
  /** The server closed the PeerConnection; the handle stays. */
  hangup: { reason: string };
  /** A candidate of the server's (full trickle). */
  trickle: TrickledCandidate;
  /** An offer of the server's that answers nothing: what its publisher sends has changed. */
  offer: Jsep;
  /** Each event that the server sent for this handle and that answers no request, as it came, before it is told as above. */
  any: HandleEvent;
  /** The handle is of no more use: {Removed}, {SessionLost}, or {Closed} if it ended here. */
  detached: { problem: Error };
}

/** What to get: `data` makes its user one of the room's publishers, `media` is the user to hear and see. */
export interface Subscription {
  notifications?: boolean;
  /** To be told who of the room talks. */
  talking?: boolean;
  data?: boolean;
  media?: string;
}

/** Where to, as whom, and with what. */
export interface JoinOptions {
  room: string;
  user: string;
  /** The token for the room (JWT), if the server wants one. */
  token?: string | null;
  subscribe?: Subscription;
}

/** One attachment to the plugin: at most one room, one subscription to media and one PeerConnection. */
export class Handle extends Emitter<HandleEvents> {
  /** Unique in its session. */
  readonly id: number;
  readonly session: Session;
  readonly #forget: () => void;
  #ended: Error | null = null;

  /** @param forget takes the handle off its session's list */
  constructor(id: number, session: Session, forget: () => void) {
    super();
    this.id = id;
    this.session = session;
    this.#forget = forget;
  }

  /** Why the handle has ended; null while it has not. */
  get ended(): Error | null {
    return this.#ended;
  }

  /**
   * Comes into a room; with `media` the reply brings an offer, to be answered by `answer`.
   *
   * @returns the room's publishers before this one
   * @throws {Refused} by the plugin; what `Session.request` throws
   */
  async join({ room, user, token, subscribe }: JoinOptions): Promise<{ users: string[]; offer: Jsep | null }> {
    const { data, jsep } = await this.message({
      kind: 'join',
      room_id: room,
      user_id: user,
      ...(subscribe ? { subscribe } : {}),
      ...(token == null ? {} : { token }),
    });
    return { users: data.response?.users?.[room] ?? [], offer: jsep };
  }

  /** Subscribes, once per handle; with `media` it brings an offer. */
  async subscribe(what: Subscription, token?: string | null): Promise<Jsep | null> {
    const { jsep } = await this.message({ kind: 'subscribe', what, ...(token == null ? {} : { token }) });
    return jsep;
  }

  /** Hides this user and `user` from each other. */
  async block(user: string): Promise<void> {
    await this.message({ kind: 'block', whom: user });
  }

  /** Takes a block back. */
  async unblock(user: string): Promise<void> {
    await this.message({ kind: 'unblock', whom: user });
  }

  /** Puts a user out of a room. @param token one with the claim `kick_users` */
  async kick(room: string, user: string, token: string): Promise<void> {
    await this.message({ kind: 'kick', room_id: room, user_id: user, token });
  }

  /** Sends a text by way of the signalling to the room's publishers, or to one user. */
  async data(body: string, whom?: string): Promise<void> {
    await this.message({ kind: 'data', body, ...(whom === undefined ? {} : { whom }) });
  }

  /** Sends an offer. Returns the server's answer. */
  async offer(sdp: string): Promise<Jsep> {
    const { jsep } = await this.message({}, { type: 'offer', sdp });
    if (!jsep) throw new NoAnswer('message', 'the offer was answered without a description');
    return jsep;
  }

  /** Sends the answer to an offer of the server's. */
  async answer(sdp: string): Promise<void> {
    await this.message({}, { type: 'answer', sdp });
  }

  /**
   * Sends a message to the plugin and waits for its event.
   *
   * @throws {Refused} if the plugin answers without success; what `Session.request` throws
   */
  async message(body: RequestBody, jsep?: Jsep): Promise<{ data: Success; jsep: Jsep | null }> {
    if (this.#ended) throw this.#ended;
    const reply = await this.session.request('message', { handle_id: this.id, body, ...(jsep ? { jsep } : {}) });
    const kind = body.kind ?? 'negotiate';
    if (reply.janus !== 'event') throw new NoAnswer('message', `the server replied with ${reply.janus} only`);
    const { data } = reply.plugindata;
    if (!('success' in data)) throw new NoAnswer('message', `the event for ${kind} says neither success nor error`);
    if (!data.success) throw new Refused(kind, data.error.msg);
    return { data, jsep: reply.jsep ?? null };
  }

  /** Sends a candidate, or null when there are no more. A lost one does no harm, so nobody waits. */
  trickle(candidate: BareCandidate | null): void {
    if (this.#ended) return;
    const payload: TrickledCandidate = candidate
      ? { candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex }
      : { completed: true };
    this.session.request('trickle', { handle_id: this.id, candidate: payload }).catch(() => {});
  }

  /** Closes the PeerConnection at the server; the handle stays, and its room. */
  async hangup(): Promise<void> {
    if (this.#ended) throw this.#ended;
    await this.session.request('hangup', { handle_id: this.id });
  }

  /** Ends the handle: its user leaves the room if this was the last one. */
  async detach(): Promise<void> {
    if (this.#ended) return;
    this.end(new Closed('handle'));
    await this.session.request('detach', { handle_id: this.id }).catch((error) => {
      // A server that does not know the handle, and a session that is over, have ended it already.
      if (!(error instanceof JanusRefusal) && !(error instanceof Closed)) throw error;
    });
  }

  /** For the session: an event has come. */
  receive(event: HandleEvent): void {
    this.emit('any', event);
    switch (event.janus) {
      case 'event':
        this.#receivePlugin(event);
        break;
      case 'trickle':
        this.emit('trickle', event.candidate);
        break;
      case 'webrtcup':
        this.emit('webrtcup', {});
        break;
      case 'media':
        this.emit('media', { mid: event.mid, type: event.type, receiving: event.receiving });
        break;
      case 'slowlink':
        this.emit('slowlink', { mid: event.mid, media: event.media, uplink: event.uplink, lost: event.lost });
        break;
      case 'hangup':
        this.emit('hangup', { reason: event.reason });
        break;
      case 'detached':
        this.end(new Removed());
        break;
      default:
        // A newer server's event.
        event satisfies never;
    }
  }

  /** For the session: the handle is gone. */
  end(problem: Error): void {
    if (this.#ended) return;
    this.#ended = problem;
    this.#forget();
    this.emit('detached', { problem });
  }

  #receivePlugin({ plugindata: { data }, jsep }: PluginEvent): void {
    if (jsep?.type === 'offer') this.emit('offer', jsep);
    if (!('event' in data)) return;
    switch (data.event) {
      case 'join':
        this.emit('join', data);
        break;
      case 'leave':
        this.emit('leave', data);
        break;
      case 'blocked':
        this.emit('blocked', data);
        break;
      case 'talking':
        this.emit('talking', data);
        break;
      case 'unblocked':
        this.emit('unblocked', data);
        break;
      case 'data':
        this.emit('data', data);
        break;
    }
  }
}
