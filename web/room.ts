import { NoUdp, Refused, Removed } from './errors.js';
import { JanusConnection, type PluginData } from './janus-connection.js';
import { raise } from './peer.js';
import { type DataMessage, Publisher } from './publisher.js';
import { Subscriber } from './subscriber.js';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
const LONGEST_CHAT = 2_000;

export type RoomStatus = 'connecting' | 'joined' | 'reconnecting' | 'failed' | 'left';
export type UserState = 'connecting' | 'live' | 'blocked' | 'left';

/** Somebody else in the room. */
export interface RoomUser {
  readonly id: string;
  state: UserState;
  /** Why the state is what it is, in words; may be empty. */
  note: string;
  blockedByMe: boolean;
  blockedByThem: boolean;
  stream: MediaStream | null;
  pc: RTCPeerConnection | null;
}

export interface Identity {
  room: string;
  user: string;
  token: string | null;
}

/** Whom this user has blocked, kept by the page: the server remembers blocks but tells nobody. */
export interface BlockMemory {
  has(user: string): boolean;
  add(user: string): void;
  delete(user: string): void;
}

export interface RoomEvents {
  /** @param problem what went wrong; null unless reconnecting or failed  @param retryMs until the next attempt */
  status(status: RoomStatus, problem: unknown, retryMs: number): void;
  user(user: RoomUser): void;
  chat(from: string, text: string): void;
}

interface Membership extends RoomUser {
  subscriber: Subscriber | null;
  connected: boolean;
}

/** The delay before reconnection attempt `failures` + 1: doubling, with jitter so that a server's clients spread out. */
export function reconnectDelay(failures: number, random: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10)) * (0.7 + 0.6 * random);
}

/**
 * Being in a room: connects, publishes, subscribes to everybody there, and reconnects with a longer and longer pause
 * when something breaks, until `leave` or a refusal that asking again wouldn't change.
 */
export class Room {
  readonly identity: Identity;
  readonly #url: string;
  readonly #iceServers: RTCIceServer[];
  readonly #blocks: BlockMemory;
  readonly #events: RoomEvents;
  readonly #users = new Map<string, Membership>();
  #stream: MediaStream | null;
  #connection: JanusConnection | null = null;
  #publisher: Publisher | null = null;
  #left = false;
  readonly #pauses = new Set<() => void>();

  constructor(
    server: { url: string; iceServers: RTCIceServer[] },
    identity: Identity,
    stream: MediaStream | null,
    blocks: BlockMemory,
    events: RoomEvents,
  ) {
    // The room in the address lets the server put this page's first peer beside its room mates (the path means nothing).
    this.#url = `${server.url}?room=${encodeURIComponent(identity.room)}`;
    this.#iceServers = server.iceServers;
    this.identity = identity;
    this.#stream = stream;
    this.#blocks = blocks;
    this.#events = events;
  }

  get users(): ReadonlyMap<string, RoomUser> {
    return this.#users;
  }

  /** The PeerConnection that sends, while there is one. */
  get sending(): RTCPeerConnection | null {
    return this.#publisher?.pc ?? null;
  }

  /** Runs until `leave` or a final refusal; never rejects. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.#left) {
      this.#events.status('connecting', null, 0);
      try {
        await this.#session(() => {
          failures = 0;
        });
      } catch (error) {
        if (this.#left) break;
        if (error instanceof Removed || (error instanceof Refused && error.final)) {
          this.#events.status('failed', error, 0);
          return;
        }
        const delay = reconnectDelay(failures, Math.random());
        failures += 1;
        this.#events.status('reconnecting', error, delay);
        await this.#pause(delay);
      }
    }
    this.#events.status('left', null, 0);
  }

  leave(): void {
    this.#left = true;
    this.#connection?.close();
    for (const done of this.#pauses) done();
  }

  async setStream(stream: MediaStream | null): Promise<void> {
    this.#stream = stream;
    await this.#publisher?.setStream(stream);
  }

  async setBlocked(id: string, blocked: boolean): Promise<void> {
    if (blocked) await this.#publisher?.block(id);
    else await this.#publisher?.unblock(id);
    if (blocked) this.#blocks.add(id);
    else this.#blocks.delete(id);
    const member = this.#users.get(id);
    if (!member) return;
    member.blockedByMe = blocked;
    this.#update(member);
  }

  /** @returns false if there is no open channel at the moment */
  say(text: string): boolean {
    const data = { from: this.identity.user, text: text.slice(0, LONGEST_CHAT) };
    return this.#publisher?.send({ dataType: 'chat', data }) ?? false;
  }

  /** One connection, from opening to its loss; always ends by a throw or by `leave`. */
  async #session(onJoined: () => void): Promise<void> {
    const connection = await JanusConnection.open(this.#url);
    this.#connection = connection;
    try {
      if (this.#left) return;
      const publisher = new Publisher(await connection.attach(), this.#iceServers, this.#stream, {
        roomEvent: (data) => this.#roomEvent(connection, data),
        message: (message) => this.#message(message),
      });
      this.#publisher = publisher;
      const closed = connection.closed.then((reason) => new Error(`The server closed the connection (${reason}).`));
      const lost = raise(Promise.race([publisher.lost, closed]));
      const { room, user, token } = this.identity;
      // A refused token should be told as such and not as a missing UDP path: joining doesn't wait for the path.
      const joined = publisher.negotiated().then(() => publisher.join(room, user, token));
      const [present] = await Promise.race([Promise.all([joined, publisher.connected()]), lost]);
      onJoined();
      this.#events.status('joined', null, 0);
      for (const id of present) if (!this.#users.has(id)) this.#enter(connection, id);
      await lost;
    } finally {
      for (const id of [...this.#users.keys()]) this.#exit(id);
      this.#publisher?.close();
      this.#publisher = null;
      this.#connection = null;
      connection.close();
    }
  }

  #roomEvent(connection: JanusConnection, data: PluginData): void {
    const { event, user_id: id, by } = data;
    if (event === 'join' && id !== undefined && id !== this.identity.user) this.#enter(connection, id);
    if (event === 'leave' && id !== undefined) this.#exit(id);
    const blocker = by === undefined ? undefined : this.#users.get(by);
    if (blocker && (event === 'blocked' || event === 'unblocked')) {
      blocker.blockedByThem = event === 'blocked';
      this.#update(blocker);
    }
  }

  #message({ dataType, data }: DataMessage): void {
    if (dataType !== 'chat' || typeof data !== 'object' || data === null) return;
    if (!('from' in data && 'text' in data)) return;
    if (typeof data.from !== 'string' || typeof data.text !== 'string') return;
    this.#events.chat(data.from, data.text.slice(0, LONGEST_CHAT));
  }

  /** A user came, or came back with a new PeerConnection: either way it is subscribed to anew. */
  #enter(connection: JanusConnection, id: string): void {
    this.#users.get(id)?.subscriber?.close();
    const member: Membership = {
      id,
      state: 'connecting',
      note: '',
      blockedByMe: this.#blocks.has(id),
      blockedByThem: this.#users.get(id)?.blockedByThem ?? false,
      stream: null,
      pc: null,
      subscriber: null,
      connected: false,
    };
    this.#users.set(id, member);
    this.#update(member);
    void this.#follow(connection, member);
  }

  #exit(id: string): void {
    const member = this.#users.get(id);
    if (!member) return;
    this.#users.delete(id);
    member.subscriber?.close();
    member.state = 'left';
    member.note = '';
    this.#events.user(member);
  }

  /** Keeps a subscription to the user for as long as the user is there. */
  async #follow(connection: JanusConnection, member: Membership): Promise<void> {
    const { room, user, token } = this.identity;
    for (let failures = 0; this.#users.get(member.id) === member; failures += 1) {
      try {
        const subscriber = new Subscriber(await connection.attach(), this.#iceServers, (stream) => {
          member.stream = stream;
          this.#update(member);
        });
        if (this.#users.get(member.id) !== member) return subscriber.close();
        member.subscriber = subscriber;
        member.pc = subscriber.pc;
        const lost = raise(subscriber.lost);
        await Promise.race([subscriber.subscribe(room, user, member.id, token), lost]);
        failures = 0;
        member.connected = true;
        member.note = '';
        this.#update(member);
        await lost;
      } catch (error) {
        if (this.#users.get(member.id) !== member) return;
        member.subscriber?.close();
        member.connected = false;
        member.note = error instanceof NoUdp || error instanceof Refused ? error.message : 'Trying again …';
        this.#update(member);
      }
      await this.#pause(reconnectDelay(failures, Math.random()));
    }
  }

  #update(member: Membership): void {
    if (member.blockedByMe || member.blockedByThem) member.state = 'blocked';
    else member.state = member.connected ? 'live' : 'connecting';
    this.#events.user(member);
  }

  /** Waits, or less if this page leaves meanwhile. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#pauses.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#pauses.add(done);
    });
  }
}
