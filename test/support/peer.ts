/**
 * Users of the real server without a browser, for tests and load: each has a Janus session on its own WebSocket,
 * publisher handles and subscriber handles, with real PeerConnections.
 */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { ConnectionFailed } from '../../bench/load/media-peer.js';
import { Session } from '../../src/client/index.js';
import { keptSockets } from './kept-sockets.js';
import type { Identity } from './member.js';
import { Publisher, type PublishOptions } from './publisher.js';
import { type SubscribeOptions, Subscriber } from './subscriber.js';

/** Under load answers may take long, and many are waited for. */
const PATIENCE = { answerTimeoutMs: 120_000, waitingMax: 10_000 };

/** One user: a WebSocket with a Janus session, in one room. */
export class User implements Identity {
  readonly session: Session;
  readonly socket: WebSocket;
  readonly room: string;
  readonly id: string;
  readonly publishers: Publisher[] = [];
  readonly subscribers: Subscriber[] = [];

  private constructor(session: Session, socket: WebSocket, room: string, id: string) {
    this.session = session;
    this.socket = socket;
    this.room = room;
    this.id = id;
  }

  static async connect(url: string, room: string, id: string): Promise<User> {
    const { WebSocket, opened } = keptSockets();
    const session = await Session.open(url, { WebSocket, reconnect: false, ...PATIENCE });
    const [socket] = opened;
    if (!socket) throw new Error('a session was opened without a socket');
    return new User(session, socket, room, id);
  }

  /** A publisher's handle that has neither offered nor joined. */
  async attachPublisher(options: PublishOptions = {}): Promise<Publisher> {
    const publisher = new Publisher(this, await this.session.attach(), options);
    this.publishers.push(publisher);
    return publisher;
  }

  /** Connects a peer and joins: the order of every known client. */
  async publish(options: PublishOptions = {}): Promise<Publisher> {
    const publisher = await this.attachPublisher(options);
    await publisher.negotiate();
    await publisher.join();
    return publisher;
  }

  /**
   * Subscribes to another user's media, and waits for the connection. As naf-janus-adapter does it tries again on a fresh
   * handle: of thousands of connections between two libdatachannels a few fail in the DTLS handshake.
   */
  async subscribe(source: string, options: SubscribeOptions = {}): Promise<Subscriber> {
    try {
      return await this.#subscribe(source, options);
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error;
      return this.#subscribe(source, options);
    }
  }

  async #subscribe(source: string, options: SubscribeOptions): Promise<Subscriber> {
    const subscriber = new Subscriber(this, await this.session.attach(), source, options);
    this.subscribers.push(subscriber);
    await subscriber.join();
    return subscriber;
  }

  /** Leaves as a closed page does: peers and socket go, no farewell. */
  async close(): Promise<void> {
    const members = [...this.publishers, ...this.subscribers];
    await Promise.all([...members.map((member) => member.close()), this.#closeSocket()]);
  }

  async #closeSocket(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await once(this.socket, 'close');
  }
}

let rooms = 0;

/** A room of its own for one test: no two tests meet on a server that they share. */
export class Room {
  readonly name = `room-${process.pid}-${++rooms}`;
  readonly users: User[] = [];
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async enter(id: string): Promise<User> {
    const user = await User.connect(this.#url, this.name, `${id}-${this.name}`);
    this.users.push(user);
    return user;
  }

  /** Everybody leaves. */
  async close(): Promise<void> {
    await Promise.all(this.users.splice(0).map((user) => user.close()));
  }
}
