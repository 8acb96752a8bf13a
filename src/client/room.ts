import type { DataEvent } from '../sfu/wire.js';
import { BACK_OFF, Pauses, retryDelay } from './back-off.js';
import { raise } from './deferred.js';
import { Emitter } from './emitter.js';
import { hasPeers, type IceServerSource, iceServersOf, type Peer, type Stream } from './environment.js';
import { asError, Closed, SessionLost, SfuError } from './errors.js';
import type { Handle } from './handle.js';
import { type BlockMemory, type Member, Members } from './members.js';
import { Publisher, type PublisherEvents } from './publisher.js';
import { Session, type SessionOptions } from './session.js';

/** Where a user stands: on the way in, in, on the way back, not to be let in, or gone. */
export type RoomStatus = 'connecting' | 'joined' | 'reconnecting' | 'failed' | 'left';

export interface RoomOptions extends SessionOptions {
  /** The server's WebSocket, `ws://…` or `wss://…`. */
  url: string;
  room: string;
  user: string;
  /** The token for the room (JWT), if the server wants one. */
  token?: string | null;
  iceServers?: IceServerSource;
  /** Audio and video to send; default none. */
  stream?: Stream | null;
  /** Whether to get everybody's audio and video, or whose; default true where there are PeerConnections. */
  receive?: boolean | ((user: string) => boolean);
  /** Whom this user has blocked: the server remembers blocks but tells nobody. Default: what was blocked through here. */
  blocked?: BlockMemory;
}

/** What a room tells. */
export interface RoomEvents {
  /** `problem` is what went wrong, if that is why; `retryMs` the pause until the next attempt, if there is one. */
  status: { status: RoomStatus; problem: Error | null; retryMs: number };
  /** Somebody came, changed or left: `member.state` says which. */
  member: Member;
  /** A data channel to send on is open, or not any more. */
  channel: PublisherEvents['channel'];
  /** Somebody's message on a data channel. */
  message: PublisherEvents['message'];
  /** Somebody's `data` message, by way of the signalling. */
  data: DataEvent;
}

/**
 * Being in a room: connects, publishes, subscribes to everybody there. Reconnects when something breaks, until `leave` or
 * a refusal that asking again wouldn't change: a session that the server still knows is claimed and all goes on, else
 * everything is joined anew.
 */
export class Room extends Emitter<RoomEvents> {
  readonly #options: RoomOptions;
  readonly #members: Members;
  readonly #pauses = new Pauses();
  #stream: Stream | null;
  #session: Session | null = null;
  #handle: Handle | null = null;
  #publisher: Publisher | null = null;
  #status: RoomStatus = 'left';
  #joined = false;
  #running: Promise<void> | null = null;
  #left = false;

  constructor(options: RoomOptions) {
    super();
    this.#options = options;
    this.#stream = options.stream ?? null;
    const { room, user, token = null, iceServers = [], blocked = new Set(), receive = true } = options;
    this.#members = new Members({
      place: { room, user, token },
      iceServers,
      receives: hasPeers(options) ? (user) => (typeof receive === 'function' ? receive(user) : receive) : () => false,
      blocked,
      changed: (member) => this.emit('member', member),
    });
  }

  get status(): RoomStatus {
    return this.#status;
  }

  /** Everybody else, by user id. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members.all;
  }

  get session(): Session | null {
    return this.#session;
  }

  /** The handle that holds this user's place in the room, while there is one. */
  get handle(): Handle | null {
    return this.#handle;
  }

  /** The PeerConnection that sends, while there is one. */
  get sending(): Peer | null {
    return this.#publisher?.pc ?? null;
  }

  /**
   * Comes into the room, and keeps trying while the server isn't reachable (`status` tells).
   *
   * @returns when joined; rejects with what was refused for good, or {Closed} after `leave`
   */
  enter(): Promise<void> {
    return new Promise((resolve, reject) => {
      const off = this.on('status', ({ status, problem }) => {
        if (status === 'connecting' || status === 'reconnecting') return;
        off();
        if (status === 'joined') resolve();
        else reject(problem ?? new Closed('room'));
      });
      void this.run();
    });
  }

  /** Is in the room until `leave` or a final refusal; resolves then, never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Ends it at once: the others see the user leave. `run()` resolves. */
  leave(): void {
    this.#left = true;
    this.#session?.close();
    this.#pauses.cut();
    this.#members.cut();
  }

  /** Sends other audio and video from now on. */
  async setStream(stream: Stream | null): Promise<void> {
    this.#stream = stream;
    await this.#publisher?.setStream(stream);
  }

  /** Hides this user and another from each other, or no longer. @throws {Closed} while not in the room */
  async setBlocked(user: string, blocked: boolean): Promise<void> {
    const handle = this.#must();
    await (blocked ? handle.block(user) : handle.unblock(user));
    this.#members.blockedByMe(user, blocked);
  }

  /**
   * Sends to everybody in the room by a data channel.
   *
   * @returns false if there is no open channel of this label at the moment
   */
  send(data: string | ArrayBuffer, label?: string): boolean {
    return this.#publisher?.send(data, label) ?? false;
  }

  /** Sends a text by way of the signalling, to everybody or one user. @throws {Closed} while not in the room */
  async sendData(body: string, whom?: string): Promise<void> {
    await this.#must().data(body, whom);
  }

  #must(): Handle {
    if (!this.#handle || !this.#joined) throw new Closed('room');
    return this.#handle;
  }

  #say(status: RoomStatus, problem: Error | null = null, retryMs = 0): void {
    this.#status = status;
    this.emit('status', { status, problem, retryMs });
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#left) {
      if (this.#session?.state !== 'away') this.#say('connecting');
      try {
        await this.#stay(() => {
          failures = 0;
        });
      } catch (error) {
        const problem = asError(error);
        if (this.#left) break;
        if (problem instanceof SfuError && problem.final) {
          this.#session?.close();
          this.#say('failed', problem);
          return;
        }
        // A session that was lost has paused before it knew.
        const delay = problem instanceof SessionLost ? 0 : retryDelay(failures, Math.random(), this.#options.backOff);
        if (delay > 0) failures += 1;
        this.#say('reconnecting', problem, delay);
        if (delay > 0) await this.#pauses.wait(delay);
      }
    }
    this.#session?.close();
    this.#say('left');
  }

  /** The session, which keeps itself connected once it is open. */
  async #open(): Promise<Session> {
    if (this.#session && this.#session.state !== 'closed') return this.#session;
    const url = new URL(this.#options.url);
    // The room in the address lets the server put this client's first peer beside its room mates.
    url.searchParams.set('room', this.#options.room);
    const session = await Session.open(url.href, {
      ...this.#options,
      backOff: this.#options.backOff ?? BACK_OFF,
    });
    if (this.#left) {
      session.close();
      throw new Closed('room');
    }
    session.on('away', ({ problem, retryMs }) => this.#say('reconnecting', problem, retryMs));
    session.on('claimed', () => this.#say(this.#joined ? 'joined' : 'connecting'));
    this.#session = session;
    return session;
  }

  /** One place in the room, from attaching to its loss; always ends by a throw. */
  async #stay(onJoined: () => void): Promise<never> {
    const session = await this.#open();
    const handle = await session.attach();
    this.#handle = handle;
    try {
      handle.on('data', (data) => this.emit('data', data));
      this.#members.follow(handle);
      const lost = hasPeers(this.#options)
        ? await this.#publish(handle)
        : { ready: Promise.resolve(), lost: ended(handle) };
      const gone = raise(lost.lost);
      const { room, user, token = null } = this.#options;
      // A refused token should be told as such and not as a missing UDP path: joining doesn't wait for the path.
      const joined = lost.ready.then(() =>
        handle.join({ room, user, token, subscribe: { notifications: true, data: true } }),
      );
      const [{ users }] = await Promise.race([Promise.all([joined, this.#publisher?.connected()]), gone]);
      this.#joined = true;
      onJoined();
      if (session.state === 'open') this.#say('joined');
      this.#members.present(session, users);
      return await gone;
    } finally {
      this.#joined = false;
      this.#members.clear();
      this.#publisher?.close();
      this.#publisher = null;
      this.#handle = null;
      handle.detach().catch(() => {});
    }
  }

  async #publish(handle: Handle): Promise<{ ready: Promise<void>; lost: Promise<Error> }> {
    const iceServers = await iceServersOf(this.#options.iceServers ?? []);
    if (this.#left) throw new Closed('room');
    const publisher = new Publisher(handle, { iceServers, stream: this.#stream });
    this.#publisher = publisher;
    publisher.on('channel', (channel) => this.emit('channel', channel));
    publisher.on('message', (message) => this.emit('message', message));
    return { ready: publisher.negotiated(), lost: publisher.lost };
  }
}

async function ended(handle: Handle): Promise<Error> {
  return (await handle.next('detached')).problem;
}
