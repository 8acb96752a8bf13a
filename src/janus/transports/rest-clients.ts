import { isLoopback } from '../../http/client-address.js';
import type { Connection } from '../connection.js';
import { Mailbox } from '../mailbox.js';
import { PollQueue } from './rest-polls.js';

export interface RestClientSettings {
  /** Events, and their bytes, that wait for a session's next long poll; more end the session. */
  eventsMax: number;
  eventBytesMax: number;
  /** Milliseconds that a long poll waits for an event. */
  pollTimeout: number;
}

/** What a client tells those who keep it. */
interface Watcher {
  gained(client: RestClient, session: number): void;
  lost(client: RestClient, session: number): void;
  overflow(client: RestClient): void;
}

/** An HTTP client as the API knows it: one for each session that it owns, or a stranger who has none yet. */
export class RestClient implements Connection {
  readonly transport = 'janus.transport.http';
  readonly id: number;
  readonly address: string;
  readonly loopback: boolean;
  readonly room: string | null;
  readonly queue: PollQueue;
  readonly #watcher: Watcher;

  constructor(id: number, address: string, room: string | null, settings: RestClientSettings, watcher: Watcher) {
    this.id = id;
    this.address = address;
    this.loopback = isLoopback(address);
    this.room = room;
    this.queue = new PollQueue(new Mailbox(settings.eventsMax, settings.eventBytesMax), settings.pollTimeout);
    this.#watcher = watcher;
  }

  send(message: object): void {
    if (!this.queue.push(message)) this.#watcher.overflow(this);
  }

  gained(session: number): void {
    this.#watcher.gained(this, session);
  }

  lost(session: number): void {
    this.queue.release();
    this.#watcher.lost(this, session);
  }

  takeUndelivered(): object[] {
    return this.queue.takeAll();
  }
}

/** The sessions that HTTP clients own, and who that is. */
export class RestClients {
  readonly #settings: RestClientSettings;
  readonly #watcher: Watcher;
  readonly #owners = new Map<number, RestClient>();
  #lastId = 0;

  /**
   * @param counted told of each session that an address has more or less
   * @param overflow told of a client whose events are too many to be kept
   */
  constructor(
    settings: RestClientSettings,
    counted: (address: string, change: 1 | -1) => void,
    overflow: (client: RestClient) => void,
  ) {
    this.#settings = settings;
    this.#watcher = {
      gained: (client, session) => {
        this.#owners.set(session, client);
        counted(client.address, 1);
      },
      lost: (client, session) => {
        if (this.#owners.get(session) !== client) return;
        this.#owners.delete(session);
        counted(client.address, -1);
      },
      overflow,
    };
  }

  /** Sessions that HTTP clients own. */
  get size(): number {
    return this.#owners.size;
  }

  /** Long polls without an answer. */
  get polls(): number {
    let polls = 0;
    for (const { queue } of this.#owners.values()) polls += queue.polls;
    return polls;
  }

  /** Who owns the session; null if no HTTP client does. */
  ownerOf(session: number): RestClient | null {
    return this.#owners.get(session) ?? null;
  }

  /** A client without a session. */
  stranger(address: string, room: string | null): RestClient {
    this.#lastId += 1;
    return new RestClient(this.#lastId, address, room, this.#settings, this.#watcher);
  }

  /** Answers all polls that wait, with a keepalive. */
  releasePolls(): void {
    for (const { queue } of this.#owners.values()) queue.release();
  }
}
