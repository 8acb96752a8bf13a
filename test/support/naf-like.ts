/** A user who behaves as naf-janus-adapter does, without a browser: also when its connection is closed. */
import { type ClientOptions, WebSocket } from 'ws';
import { ConnectionFailed } from '../../bench/load/media-peer.js';
import { Session } from '../../src/client/index.js';
import type { Identity } from './member.js';
import { Observable } from './observable.js';
import { Publisher } from './publisher.js';
import { Subscriber } from './subscriber.js';

/** What a browser keeps for one site. */
export class CookieJar {
  #cookie: string | null = null;

  get headers(): Record<string, string> {
    return this.#cookie === null ? {} : { cookie: this.#cookie };
  }

  read(lines: string[] | undefined): void {
    for (const line of lines ?? []) this.#cookie = line.split(';')[0] ?? null;
  }
}

export interface NafLikeOptions {
  /** Where it connects; asked each time, as behind a balancer. */
  url: () => string;
  room: string;
  id: string;
  /** Whether it says the room in its address. */
  hint?: boolean;
  /** Null = it keeps no cookies. */
  jar?: CookieJar | null;
  /** Sends audio and video, or only joins. */
  media?: boolean;
}

/** Milliseconds: the adapter waits for a random time up to this, once for its life. */
const FIRST_DELAY_MAX = 1_000;
const NORMAL_CLOSURE = 1_000;

export class NafLike extends Observable implements Identity {
  readonly room: string;
  readonly id: string;
  /** Close codes of its connections, in order. */
  readonly closed: number[] = [];
  /** Refusals of its joins. */
  readonly refused: string[] = [];
  readonly subscribers = new Map<string, Subscriber>();
  publisher: Publisher | null = null;
  joined = false;
  /** Times that it has joined. */
  joins = 0;
  readonly #options: NafLikeOptions;
  #session: Session | null = null;
  #socket: WebSocket | null = null;
  #over = false;
  #timer: NodeJS.Timeout | null = null;
  readonly #firstDelay = Math.random() * FIRST_DELAY_MAX;
  #delay = this.#firstDelay;

  constructor(options: NafLikeOptions) {
    super();
    this.#options = options;
    this.room = options.room;
    this.id = options.id;
  }

  /** Whom it gets media of at the moment. */
  sees(other: string): boolean {
    return (this.subscribers.get(other)?.count.video ?? 0) > 0;
  }

  /** Connects, and again whenever its connection is closed. */
  start(): void {
    this.#connect().catch((error: unknown) => {
      this.refused.push(error instanceof Error ? error.message : String(error));
      this.#delay += 1_000;
      this.#again();
      this.changed();
    });
  }

  async close(): Promise<void> {
    this.#over = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#drop();
    this.#socket?.terminate();
  }

  async #connect(): Promise<void> {
    const { url, room, hint = false, jar = null, media = true } = this.#options;
    const user = this;
    class JarSocket extends WebSocket {
      constructor(address: string, protocol: string) {
        const options: ClientOptions = { headers: jar?.headers ?? {} };
        super(address, protocol, options);
        user.#socket = this;
        this.on('upgrade', ({ headers }) => jar?.read(headers['set-cookie']));
        this.on('error', () => {});
        this.on('close', (code) => user.#lost(this, code));
      }
    }
    const session = await Session.open(hint ? `${url()}/?room=${encodeURIComponent(room)}` : url(), {
      WebSocket: JarSocket,
      reconnect: false,
    });
    this.#session = session;
    const publisher = new Publisher(this, await session.attach(), { audio: media, video: media });
    this.publisher = publisher;
    await publisher.negotiate(media);
    publisher.handle.on('join', ({ user_id: other }) => void this.#subscribe(other));
    publisher.handle.on('leave', ({ user_id: other }) => this.#unsubscribe(other));
    const others = await publisher.join();
    if (media) publisher.start();
    this.joined = true;
    this.joins += 1;
    this.#delay = this.#firstDelay;
    this.changed();
    await Promise.all(others.map((other) => this.#subscribe(other)));
  }

  async #subscribe(other: string): Promise<void> {
    const session = this.#session;
    if (!session || this.#options.media === false || this.subscribers.has(other)) return;
    for (let attempt = 0; attempt < 3 && session === this.#session && session.state === 'open'; attempt += 1) {
      try {
        const subscriber = new Subscriber(this, await session.attach(), other, { countOnly: true });
        this.subscribers.set(other, subscriber);
        subscriber.on('change', () => this.changed());
        await subscriber.join();
        return;
      } catch (error) {
        this.#unsubscribe(other);
        if (!(error instanceof ConnectionFailed)) return;
      }
    }
  }

  #unsubscribe(other: string): void {
    void this.subscribers.get(other)?.close();
    this.subscribers.delete(other);
    this.changed();
  }

  #lost(socket: WebSocket, code: number): void {
    this.closed.push(code);
    if (socket === this.#socket && code !== NORMAL_CLOSURE) this.#again();
    this.changed();
  }

  #again(): void {
    void this.#drop();
    if (this.#over || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.start();
    }, this.#delay);
  }

  async #drop(): Promise<void> {
    this.joined = false;
    const members = [...(this.publisher ? [this.publisher] : []), ...this.subscribers.values()];
    this.publisher = null;
    this.subscribers.clear();
    this.#session = null;
    this.changed();
    await Promise.all(members.map((member) => member.close()));
  }
}

/** Users of one room with `?room=`, who come by whichever nodes there are at the time. @param nodes as a balancer knows them */
export function usersOf(room: string, count: number, nodes: () => readonly { server: { wsUrl: string } }[]): NafLike[] {
  return Array.from({ length: count }, (_, index) => {
    let turn = index;
    const url = () => {
      const all = nodes();
      return all[turn++ % all.length]?.server.wsUrl ?? '';
    };
    return new NafLike({ url, room, id: `${room}-${index}`, hint: true });
  });
}

/** Resolves when each of these gets media of all its room mates among them. */
export async function allSee(users: readonly NafLike[], limit = 30_000): Promise<void> {
  const end = performance.now() + limit;
  for (const user of users) {
    const others = users.filter((other) => other !== user && other.room === user.room);
    const missing = () => others.filter((other) => !user.sees(other.id)).map(({ id }) => id);
    await user
      .until(() => missing().length === 0, `${user.id} sees all in ${user.room}`, Math.max(1, end - performance.now()))
      .catch((error: unknown) => {
        const { joined, closed, refused } = user;
        throw new Error(`${String(error)}: ${JSON.stringify({ missing: missing(), joined, closed, refused })}`);
      });
  }
}
