import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClusterFigures } from '../observability/figures.js';
import type { Log } from '../observability/log.js';
import type { ClientFacts } from '../sfu/handle.js';
import type { RoomAuthority } from '../sfu/room-authority.js';
import type { Bucket } from './bucket.js';
import type { ClusterHost, ClusterSettings, Shared } from './cluster-parts.js';
import { Commander, type Commands } from './commands.js';
import { Complaints } from './complaints.js';
import { figuresOf } from './figures.js';
import { Load } from './load.js';
import { HEARTBEAT, Membership, NODE_TTL, provenOf, readNodeRecord } from './membership.js';
import { NatsLink } from './nats.js';
import type { NodeRecord } from './node-choice.js';
import { Ownership, type Place, ROOM_TTL } from './ownership.js';
import { Relay } from './relay.js';
import { RelayServer } from './relay-server.js';
import { type Handshake, Router } from './router.js';
import { Seals } from './seal.js';
import { SharedBans } from './shared-bans.js';
import { SharedBlocks } from './shared-blocks.js';
import { SharedTokens } from './shared-tokens.js';
import { MEMORY_TTL, Visitors } from './visitors.js';

const SWEEP = 1_000;

const ELSEWHERE =
  'This room is on another node of the cluster. Connect (over HTTP: create the session) with ?room=<room id> in the address, or keep the cookie.';
const GO_THERE = 'the room is on another node: connect again';

/** This node of a cluster, and what it knows of the others. */
export class Cluster implements RoomAuthority {
  /** Random: a process that comes in place of another is another node. */
  readonly id = randomBytes(6).toString('hex');
  readonly blocks: SharedBlocks;
  readonly commander: Commander;
  readonly membership: Membership;
  readonly ownership: Ownership;
  readonly relay: Relay;
  readonly router: Router;
  readonly counters = { sentAway: 0, notRemembered: 0 };
  readonly #settings: ClusterSettings;
  readonly #log: Log;
  readonly #link: NatsLink;
  readonly #nodes: Bucket;
  readonly #bans: SharedBans | null;
  readonly #tokens: SharedTokens | null;
  readonly #visitors: Visitors;
  readonly #server: RelayServer;
  readonly #load: Load;
  readonly #seals: Seals;
  readonly #complaints: Complaints;
  readonly #started = Date.now();
  #address = '';
  #host: ClusterHost | null = null;
  #timers: NodeJS.Timeout[] = [];
  #living = '';
  #leaving = false;

  /** @param shared what there is of it: bans where tokens are banned, tokens where they are stored */
  constructor(settings: ClusterSettings, shared: Shared, log: Log) {
    const { local, bans, tokens } = shared;
    this.#settings = settings;
    this.#log = log;
    const { name, secret, tls } = settings;
    const now = () => performance.now();
    const seals = new Seals(secret);
    const complaints = new Complaints(log);
    this.#seals = seals;
    this.#complaints = complaints;
    this.#link = new NatsLink(settings.nats, log);
    const linked = () => this.#link.here;
    this.membership = new Membership(this.id);
    this.#nodes = this.#link.bucket(
      { name: `${name}_nodes`, ttl: NODE_TTL },
      {
        entry: ({ key, text, revision, deleted }) => {
          const record = deleted ? null : readNodeRecord(text);
          if (deleted) this.membership.forget(key);
          else if (record && record.id === key) this.#hear(record, revision, now());
        },
        complete: () => {},
      },
    );
    const rooms: Bucket = this.#link.bucket(
      { name: `${name}_rooms`, ttl: ROOM_TTL },
      {
        entry: (entry) => {
          const room = this.ownership.directory.learn(entry);
          if (room !== null) this.ownership.settle(room);
        },
        complete: (keys) => void this.ownership.directory.keep(keys),
      },
    );
    this.ownership = new Ownership({
      membership: this.membership,
      bucket: rooms,
      linked,
      occupied: (room) => this.#host?.occupied(room) ?? false,
      dismiss: (room) => this.#host?.dismiss(room),
      log,
      now,
    });
    this.blocks = new SharedBlocks(
      { self: this.id, local, log, changed: (block) => this.#host?.learnBlock(block) },
      (listener) => this.#link.bucket({ name: `${name}_blocks`, ttl: 0 }, listener),
    );
    this.#bans =
      bans && new SharedBans(bans, (listener) => this.#link.bucket({ name: `${name}_bans`, ttl: 0 }, listener));
    this.#tokens =
      tokens &&
      new SharedTokens(secret, tokens, (listener) => this.#link.bucket({ name: `${name}_tokens`, ttl: 0 }, listener));
    this.#visitors = new Visitors(settings.cookie, this.#link.bucket({ name: `${name}_visitors`, ttl: MEMORY_TTL }));
    this.commander = new Commander({ self: this.id, prefix: name, link: this.#link, seals, complaints });
    this.relay = new Relay({ self: this.id, seals, tls, complaints });
    this.#server = new RelayServer({
      host: settings.host,
      port: settings.port,
      connectionsMax: settings.relaysMax,
      self: this.id,
      seals,
      tls,
      log,
      complaints,
    });
    this.#load = new Load({
      cores: settings.cores,
      loopDelayMax: settings.loopDelayMax,
      workerDelays: () => this.#host?.workerDelays() ?? [],
    });
    this.router = new Router({
      membership: this.membership,
      ownership: this.ownership,
      relay: this.relay,
      visitors: this.#visitors,
      commander: this.commander,
      linked,
      hasSession: (id) => this.#host?.hasSession(id) ?? false,
      relaysMax: settings.relaysMax,
      staysWhereItComes: settings.placement === 'arrival',
      now,
    });
    this.#link.onChange((here) => this.#linkChanged(here));
  }

  /** Whether NATS is here. */
  get linked(): boolean {
    return this.#link.here;
  }

  get draining(): boolean {
    return this.ownership.draining;
  }

  get address(): string {
    return this.#address;
  }

  /** What of this node there is to measure. */
  figures(): ClusterFigures {
    return figuresOf(this, this.#link, this.#server);
  }

  /** The living nodes, by name. */
  nodes(): NodeRecord[] {
    return this.membership.living(performance.now()).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The ids of the living nodes that know the secret, but this one. */
  others(): string[] {
    return this.nodes()
      .map(({ id }) => id)
      .filter((id) => id !== this.id && this.membership.trusts(id));
  }

  /**
   * Listens for the other nodes and connects to NATS; goes on without that if it takes long.
   *
   * @param patience milliseconds to wait for NATS
   * @throws Error where the port can't be had
   */
  async start(patience: number): Promise<void> {
    const port = await this.#server.listen();
    const { address } = this.#settings;
    this.#address = /:\d+$/.test(address) && !address.endsWith(']') ? address : `${address}:${port}`;
    const here = new Promise<void>((resolve) => this.#link.onChange(() => resolve()));
    this.#link.start();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      here,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patience);
      }),
    ]);
    clearTimeout(timer);
  }

  /** The server is there: from now on this node is one of the cluster's. */
  open(host: ClusterHost): void {
    this.#host = host;
    this.#server.target = host;
    this.commander.serve({
      admin: ({ document }) => host.admin(document),
      session: async ({ id }) => ({ here: host.hasSession(id) }),
      evict: async ({ room, user, by }) => ({ handles: await host.evict(room, user, by) }),
    });
    this.#timers = [setInterval(() => this.#beat(), HEARTBEAT), setInterval(() => this.#sweep(), SWEEP)];
    this.#beat();
  }

  /** @inheritdoc */
  claim(room: string, user: string, client: ClientFacts): null | Promise<string | null> {
    const place = this.ownership.claim(room);
    if (!(place instanceof Promise)) return place.here ? null : this.#sendAway(room, user, client);
    return this.#decided(place, room, user, client);
  }

  /** @inheritdoc */
  async evict(room: string, user: string, by: string | null): Promise<number> {
    const owner = this.ownership.directory.find(room)?.node;
    if (owner === undefined || owner === this.id) return 0;
    try {
      return (await this.commander.ask(owner, 'evict', { room, user, by })).handles;
    } catch (error) {
      this.#log('warn', 'a kick did not reach the node of its room', { room, user, node: owner, error: String(error) });
      return 0;
    }
  }

  /** @returns the answers of the living others, by node */
  askOthers<N extends keyof Commands>(name: N, ask: Commands[N]['ask']): Promise<Map<string, Commands[N]['answer']>> {
    return this.commander.askAll(this.others(), name, ask);
  }

  /** Takes new rooms or not, from now on. */
  drain(draining: boolean): void {
    this.ownership.draining = draining;
    this.#beat();
  }

  /** Gives up all rooms, so that their clients find other nodes when they come back, and says that this one ends. */
  async leave(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    // It must not say that it lives when NATS comes back meanwhile.
    this.#leaving = true;
    // Nodes that have not heard of it yet bring clients here for a moment: they are to try again, not to say no.
    this.#server.ending = true;
    this.ownership.draining = true;
    await this.ownership.releaseAll();
    await this.#nodes.delete(this.id).catch(() => {});
  }

  /** Ends what goes through this node, and the connection to NATS. */
  async close(): Promise<void> {
    this.#server.close();
    this.relay.close();
    await this.#link.close();
  }

  /** The client's address, if another node brought its request. */
  addressOf(request: IncomingMessage): string | null {
    return this.#server.addressOf(request);
  }

  /** @returns whether the client is to be served here */
  route(handshake: Handshake): Promise<boolean> {
    return this.#server.addressOf(handshake.request) === null
      ? this.router.webSocket(handshake)
      : Promise.resolve(true);
  }

  /** Lines for the answer to a handshake that is served here. */
  headersOf(request: IncomingMessage): string[] {
    const proof = this.#server.proofOf(request);
    const cookie = this.#visitors.cookie(request);
    return [...(proof === null ? [] : [proof]), ...(cookie === null ? [] : [cookie])];
  }

  visitorOf(request: IncomingMessage): { id: string; known: boolean } | null {
    return this.#visitors.visitor(request);
  }

  async #decided(place: Promise<Place>, room: string, user: string, client: ClientFacts): Promise<string | null> {
    return (await place).here ? null : this.#sendAway(room, user, client);
  }

  async #sendAway(room: string, user: string, client: ClientFacts): Promise<string> {
    const visitor = client.visitor?.() ?? null;
    // Who said the room in its address needs no memory: it comes back with the same address.
    const finds = client.room === room || (visitor !== null && (await this.#visitors.remember(visitor, room, user)));
    if (finds && client.reconnect?.(GO_THERE)) this.counters.sentAway += 1;
    else this.counters.notRemembered += 1;
    return ELSEWHERE;
  }

  #hear(record: NodeRecord, revision: number, now: number): void {
    const trusted = this.#seals.isSigned('node', provenOf(record), record.proof);
    this.membership.hear(record, revision, now, trusted);
    if (trusted) return;
    const { id, name, address } = record;
    const words = 'a node has another CLUSTER_SECRET: nobody is sent there, and it gets no rooms';
    this.#complaints.write('error', words, id, { node: name, address });
  }

  #linkChanged(here: boolean): void {
    const now = performance.now();
    if (!here) {
      this.membership.lost(now);
      this.blocks.lost();
      return;
    }
    this.membership.back(now);
    this.#beat();
    this.ownership.settleAll();
  }

  #beat(): void {
    if (!this.#host || this.#leaving || !this.#link.here) return;
    const { node: name, version } = this.#settings;
    const record: NodeRecord = {
      id: this.id,
      name,
      address: this.#address,
      load: this.#load.measure(),
      rooms: this.ownership.size,
      clients: this.#host.clients(),
      draining: this.draining,
      started: this.#started,
      version,
      unconfirmed: this.ownership.unconfirmed,
      conflicts: this.ownership.counters.yielded + this.ownership.counters.contested,
      proof: this.#seals.sign('node', provenOf({ id: this.id, address: this.#address })),
    };
    this.#nodes.put(this.id, JSON.stringify(record)).catch((error: unknown) => {
      if (this.#link.here) this.#log('warn', 'this node could not tell that it lives', { error: String(error) });
    });
  }

  #sweep(): void {
    this.membership.sweep(performance.now());
    if (this.linked) {
      this.blocks.sweep();
      this.#bans?.sweep();
      this.#tokens?.sweep();
    }
    this.ownership.sweep();
    const living = this.others().join();
    if (living === this.#living) return;
    this.#living = living;
    this.#log('info', 'the nodes that live have changed', { others: living });
    this.ownership.settleAll();
  }
}
