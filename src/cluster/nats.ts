import { readFileSync } from 'node:fs';
import { JetStreamApiError, type JetStreamManager, jetstreamManager, type StorageType } from '@nats-io/jetstream';
import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import {
  AuthorizationError,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type QueuedIterator,
} from '@nats-io/transport-node';
import type { Log } from '../observability/log.js';
import { ANSWER_LIMIT, Bucket, type BucketListener, type BucketSettings, entryOf } from './bucket.js';
import { Complaints } from './complaints.js';

export interface NatsSettings {
  /** `nats://…` or `tls://…`; a name and password in one of them are used for all. */
  urls: readonly string[];
  /** How NATS' own tools call this connection. */
  name: string;
  /** A file with a user's JWT and key, as `nsc` writes it. */
  credentials: string | undefined;
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined };
  /** Copies of each bucket among NATS' servers, 1 to 5. */
  replicas: number;
}

const RECONNECT_WAIT = 500;
const PING_INTERVAL = 1_000;
const PINGS_UNANSWERED_MAX = 2;
/** NATS' code for "wrong last sequence": somebody else was faster. */
const WRONG_SEQUENCE = 10_071;
const STORAGE = 'file' satisfies `${StorageType}`;

function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_SEQUENCE;
}

/** JetStream keeps a bucket as the stream `KV_NAME`, and a key as the subject `$KV.NAME.KEY` (NATS ADR-8). */
async function purge(manager: JetStreamManager, name: string, key: string, revision: number): Promise<number> {
  // Up to this revision: a newer value of the key stays, however fast it came.
  return (await manager.streams.purge(`KV_${name}`, { filter: `$KV.${name}.${key}`, seq: revision + 1 })).purged;
}

/** The connection to NATS: made again whenever it breaks; `here` once all buckets are known as they are. */
export class NatsLink {
  readonly #settings: NatsSettings;
  readonly #log: Log;
  readonly #complaints: Complaints;
  readonly #buckets: Bucket[] = [];
  readonly #listeners: ((here: boolean) => void)[] = [];
  readonly #subjects = new Map<string, (text: string) => Promise<string | null>>();
  #watches: QueuedIterator<KvWatchEntry>[] = [];
  #connection: NatsConnection | null = null;
  #here = false;
  #closed = false;
  /** Goes up whenever the connection breaks or comes: what was begun before is of no use then. */
  #generation = 0;
  /** Times that the connection was lost. */
  losses = 0;

  constructor(settings: NatsSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.#complaints = new Complaints(log);
  }

  /** Whether NATS answers, and all buckets that are listened to are known as they are. */
  get here(): boolean {
    return this.#here;
  }

  /** Told of every change of `here`. */
  onChange(listener: (here: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** To be called before `start`. */
  bucket(settings: BucketSettings, listener: BucketListener | null = null): Bucket {
    const bucket = new Bucket(settings, listener);
    this.#buckets.push(bucket);
    return bucket;
  }

  /** Answers requests to a subject; null = with nothing. To be called before `start`. */
  answer(subject: string, handler: (text: string) => Promise<string | null>): void {
    this.#subjects.set(subject, handler);
  }

  /** @throws Error where nobody answers in time */
  async request(subject: string, text: string, timeout: number): Promise<string> {
    // What is asked while it is away would wait for its return, for longer than anybody who waits for the answer.
    if (!this.#connection || !this.#here) throw new Error('NATS is away');
    return (await this.#connection.request(subject, text, { timeout })).string();
  }

  /**
   * Connects, and keeps trying.
   *
   * @throws Error where a setting can't be used: a file that is not there
   */
  start(): void {
    void this.#connect(this.#options());
  }

  async #connect(options: ConnectionOptions): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#connected(await connect(options));
      } catch (error) {
        this.#complain(error);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_WAIT));
      }
    }
  }

  /** Says why there is no NATS: what an operator has to change, or that it is not there. */
  #complain(error: unknown): void {
    const text = String(error);
    const words =
      error instanceof AuthorizationError || /authori[sz]ation|authentication|credentials/i.test(text)
        ? 'NATS does not let this node in: look at the name and password in NATS_URL, or at NATS_CREDENTIALS'
        : 'NATS can not be reached: this node serves rooms alone until it can';
    this.#complaints.write('error', words, text, { error: text });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#away();
    await this.#connection?.close();
  }

  #options(): ConnectionOptions {
    const { urls, name, credentials, tls } = this.#settings;
    const parsed = urls.map((url) => new URL(url));
    const account = parsed.find(({ username }) => username !== '');
    const { ca, cert, key } = tls;
    const secure = parsed.some(({ protocol }) => protocol === 'tls:') || ca !== undefined || cert !== undefined;
    const read = (file: string) => readFileSync(file, 'utf8');
    return {
      servers: parsed.map(({ host }) => host),
      name,
      ...(account ? { user: decodeURIComponent(account.username), pass: decodeURIComponent(account.password) } : {}),
      ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(credentials)) }),
      ...(secure
        ? {
            tls: {
              ...(ca === undefined ? {} : { ca: read(ca) }),
              ...(cert === undefined ? {} : { cert: read(cert) }),
              ...(key === undefined ? {} : { key: read(key) }),
            },
          }
        : {}),
      // An account that is refused today may be let in tomorrow: calls go on meanwhile.
      ignoreAuthErrorAbort: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT,
      timeout: ANSWER_LIMIT,
      pingInterval: PING_INTERVAL,
      maxPingOut: PINGS_UNANSWERED_MAX,
    };
  }

  async #connected(connection: NatsConnection): Promise<void> {
    if (this.#closed) return void connection.close();
    this.#connection = connection;
    for (const [subject, handler] of this.#subjects) this.#subscribe(connection, subject, handler);
    void this.#arrive(connection);
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#away();
      if (status.type === 'reconnect') void this.#arrive(connection);
      if (status.type === 'error') this.#complain(status.error);
    }
  }

  #subscribe(connection: NatsConnection, subject: string, handler: (text: string) => Promise<string | null>): void {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) return;
        handler(message.string()).then(
          (answer) => void (answer !== null && message.respond(answer)),
          (problem: unknown) =>
            this.#log('error', 'a request of another node failed', { subject, error: String(problem) }),
        );
      },
    });
  }

  #away(): void {
    this.#generation += 1;
    for (const bucket of this.#buckets) bucket.lost();
    this.#stopWatches();
    if (!this.#here) return;
    this.#here = false;
    this.losses += 1;
    if (!this.#closed) this.#log('warn', 'NATS is away: rooms go on, what nodes share stands still');
    for (const listener of this.#listeners) listener(false);
  }

  #stopWatches(): void {
    for (const watch of this.#watches.splice(0)) watch.stop();
  }

  /** Opens all buckets, and reads what there is to know; tried again until it works or the connection breaks. */
  async #arrive(connection: NatsConnection): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const isOver = () => this.#closed || generation !== this.#generation;
    while (!isOver()) {
      try {
        const kvm = new Kvm(connection);
        const manager = await jetstreamManager(connection, { timeout: ANSWER_LIMIT, checkAPI: false });
        await Promise.all(this.#buckets.map((bucket) => this.#open(kvm, manager, bucket, isOver)));
        if (isOver()) break;
        this.#here = true;
        this.#log('info', 'NATS is here', { server: connection.info?.server_name, version: connection.info?.version });
        for (const listener of this.#listeners) listener(true);
        return;
      } catch (error) {
        if (isOver()) return;
        this.#stopWatches();
        const words = 'NATS does not serve its buckets yet: JetStream must be on, and this user allowed to use it';
        this.#complaints.write('warn', words, String(error), { error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_WAIT));
      }
    }
  }

  /** Resolves when the listener knows all that the bucket holds. */
  async #open(kvm: Kvm, manager: JetStreamManager, bucket: Bucket, isOver: () => boolean): Promise<void> {
    const { settings, listener } = bucket;
    const kv = await kvm.create(settings.name, {
      ttl: settings.ttl,
      history: 1,
      storage: STORAGE,
      replicas: this.#settings.replicas,
      timeout: ANSWER_LIMIT,
    });
    if (isOver()) return;
    bucket.opened({ kv, isConflict, purge: (key, revision) => purge(manager, settings.name, key, revision) });
    if (!listener) return;
    const { streamInfo } = await kv.status();
    const watch = await kv.watch();
    this.#watches.push(watch);
    const { messages, last_seq: last } = streamInfo.state;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the content of ${settings.name} did not come`)), ANSWER_LIMIT);
      const complete = (keys: ReadonlySet<string>) => {
        clearTimeout(late);
        if (!isOver()) listener.complete(keys);
        resolve();
      };
      this.#follow(watch, listener, messages === 0 ? 0 : last, isOver, complete).catch((error: unknown) => {
        clearTimeout(late);
        reject(error);
        if (!isOver()) this.#log('error', 'a watch of NATS failed', { bucket: settings.name, error: String(error) });
      });
    });
  }

  /** @param last the revision of the newest value that was there before */
  async #follow(
    watch: QueuedIterator<KvWatchEntry>,
    listener: BucketListener,
    last: number,
    isOver: () => boolean,
    complete: (keys: ReadonlySet<string>) => void,
  ): Promise<void> {
    let keys: Set<string> | null = new Set();
    if (last === 0) {
      complete(keys);
      keys = null;
    }
    for await (const found of watch) {
      if (isOver()) return;
      const entry = entryOf(found);
      if (entry.deleted) keys?.delete(entry.key);
      else keys?.add(entry.key);
      listener.entry(entry);
      if (keys === null || (found.revision < last && found.delta !== 0)) continue;
      complete(keys);
      keys = null;
    }
    if (isOver() || !this.#connection) return;
    // The consumer is gone though the connection is not: all anew.
    this.#away();
    void this.#arrive(this.#connection);
  }
}
