/**
 * A cluster in virtual time: nodes, their directory, rooms that grow and shrink, nodes that die or are drained. Who owns a
 * room and where a new one goes is decided by the product's own code (`src/cluster`), from loads that are as old as they
 * are in a real cluster. Clients come back as `janus-sfu/client` does. Links don't fail here: the rules' own test does that.
 */
import { retryDelay } from '../../src/client/back-off.js';
import { claimStep, type RoomLease } from '../../src/cluster/lease.js';
import { chooseNode } from '../../src/cluster/node-choice.js';
import { Random } from '../../test/support/random.js';
import { CAMERA, coresOf } from './costs.js';
import { EventQueue } from './event-queue.js';

export interface Settings {
  seed: number;
  nodes: number;
  coresPerNode: number;
  /** Rooms that exist at a time, on average. */
  rooms: number;
  /** Of a room, on average; sizes spread as 2 + a geometric number, up to `usersMax`. */
  usersMean: number;
  usersMax: number;
  /** Seconds that a user stays, on average; exponential. */
  stay: number;
}

/** Seconds between two records of a node, and after which its record is gone. */
const RENEWAL = 2;
const TTL = 6;

interface Node {
  readonly id: string;
  alive: boolean;
  draining: boolean;
  cores: number;
  readonly rooms: Set<Room>;
  /** What the others know of it. */
  record: { id: string; load: number; draining: boolean };
  renewedAt: number;
}

interface Room {
  readonly name: string;
  users: number;
  node: Node | null;
  /** When its node died, until somebody is in it again. */
  lostAt: number | null;
}

/** What the nodes wrote, and what became of clients. */
export interface Tally {
  renewals: number;
  creates: number;
  takes: number;
  releases: number;
  /** Rooms whose clients had to go to another node. */
  moves: number;
  /** Seconds from a node's end until its room was served again, one for each room. */
  recoveries: number[];
}

export interface Balance {
  alive: number;
  rooms: number;
  users: number;
  /** Shares of a node's cores in use. */
  mean: number;
  p99: number;
  max: number;
}

export class ClusterSimulation {
  readonly queue = new EventQueue();
  readonly tally: Tally = { renewals: 0, creates: 0, takes: 0, releases: 0, moves: 0, recoveries: [] };
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #nodes = new Map<string, Node>();
  readonly #rooms = new Set<Room>();
  readonly #directory = new Map<string, RoomLease>();
  #known: Node['record'][] = [];
  #knownAt = -1;
  #revision = 0;
  #started = 0;
  #named = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#random = new Random(settings.seed);
    for (let count = 0; count < settings.nodes; count++) this.startNode();
    // As many rooms a second as end in one: each lives about as long as its users stay.
    const perSecond = settings.rooms / (settings.stay * harmonic(settings.usersMean));
    const arrive = () => {
      this.#open();
      this.queue.after(this.#exponential(1 / perSecond), arrive);
    };
    this.queue.after(0, arrive);
  }

  startNode(): void {
    const id = `node${this.#started++}`;
    const record = { id, load: 0, draining: false };
    const node: Node = {
      id,
      alive: true,
      draining: false,
      cores: 0,
      rooms: new Set(),
      record,
      renewedAt: this.queue.now,
    };
    this.#nodes.set(id, node);
    this.queue.after(this.#unit() * RENEWAL, () => this.#renew(node));
  }

  get aliveNodes(): string[] {
    return [...this.#nodes.values()].filter(({ alive }) => alive).map(({ id }) => id);
  }

  /** The process ends without a word; another takes its place after `restart` seconds. */
  kill(id: string, restart: number): void {
    const node = this.#nodes.get(id);
    if (!node?.alive) return;
    node.alive = false;
    for (const room of node.rooms) {
      room.lostAt = this.queue.now;
      this.#reconnect(room, 0);
    }
    this.queue.after(restart, () => this.startNode());
  }

  /** It takes no new rooms; after `deadline` seconds it ends, what is left is sent elsewhere, and another takes its place. */
  drain(id: string, deadline: number): void {
    const node = this.#nodes.get(id);
    if (!node?.alive) return;
    node.draining = true;
    this.queue.after(deadline, () => {
      node.alive = false;
      node.renewedAt = Number.NEGATIVE_INFINITY;
      for (const room of node.rooms) {
        this.#directory.delete(room.name);
        this.tally.releases += 1;
        room.lostAt = this.queue.now;
        this.#reconnect(room, 0);
      }
      this.startNode();
    });
  }

  balance(): Balance {
    const alive = [...this.#nodes.values()].filter((node) => node.alive);
    const loads = alive.map((node) => this.#loadOf(node)).sort((a, b) => a - b);
    return {
      alive: alive.length,
      rooms: this.#rooms.size,
      users: [...this.#rooms].reduce((sum, { users }) => sum + users, 0),
      mean: loads.reduce((sum, load) => sum + load, 0) / loads.length,
      p99: loads[Math.floor(loads.length * 0.99)] ?? 0,
      max: loads.at(-1) ?? 0,
    };
  }

  /** Rooms that wait for a node. */
  get homeless(): number {
    return [...this.#rooms].filter(({ lostAt }) => lostAt !== null).length;
  }

  /** Names of the rooms that a node serves. */
  roomsOf(id: string): Set<string> {
    return new Set([...(this.#nodes.get(id)?.rooms ?? [])].map(({ name }) => name));
  }

  #unit(): number {
    return (this.#random.below(2 ** 31) + 0.5) / 2 ** 31;
  }

  #exponential(mean: number): number {
    return -mean * Math.log(this.#unit());
  }

  #loadOf(node: Node): number {
    return node.cores / this.#settings.coresPerNode;
  }

  #renew(node: Node): void {
    if (!node.alive) return;
    node.renewedAt = this.queue.now;
    node.record = { id: node.id, load: Math.round(this.#loadOf(node) * 20) / 20, draining: node.draining };
    this.tally.renewals += 1;
    this.queue.after(RENEWAL, () => this.#renew(node));
  }

  #isAlive(node: Node | undefined): boolean {
    return node !== undefined && this.queue.now - node.renewedAt < TTL;
  }

  /** What nodes know of each other; made anew ten times a second, not for each room. */
  #candidates(): Node['record'][] {
    if (this.queue.now - this.#knownAt < 0.1) return this.#known;
    for (const [id, node] of this.#nodes) if (!node.alive && !this.#isAlive(node)) this.#nodes.delete(id);
    this.#known = [...this.#nodes.values()].filter((node) => this.#isAlive(node)).map(({ record }) => record);
    this.#knownAt = this.queue.now;
    return this.#known;
  }

  #open(): void {
    const { usersMean, usersMax } = this.#settings;
    const room: Room = { name: `room ${this.#named++}`, users: 0, node: null, lostAt: null };
    const more = Math.floor(Math.log(this.#unit()) / Math.log(1 - 1 / (usersMean - 1)));
    const users = Math.min(usersMax, 2 + more);
    // People come over the first minutes: where a room goes is decided when it is still empty.
    for (let user = 0; user < users; user++)
      this.queue.after(user === 0 ? 0 : this.#exponential(60), () => this.#enter(room));
  }

  #enter(room: Room): void {
    this.#rooms.add(room);
    if (room.node === null && room.lostAt === null) this.#place(room);
    this.#resize(room, 1);
    this.queue.after(this.#exponential(this.#settings.stay), () => {
      this.#resize(room, -1);
      if (room.users === 0) this.#close(room);
    });
  }

  #resize(room: Room, change: number): void {
    const before = coresOf(room.users, CAMERA);
    room.users += change;
    if (room.node) room.node.cores += coresOf(room.users, CAMERA) - before;
  }

  #close(room: Room): void {
    const { node } = room;
    room.node = null;
    room.lostAt = null;
    this.#rooms.delete(room);
    if (!node) return;
    node.rooms.delete(room);
    if (this.#directory.delete(room.name)) this.tally.releases += 1;
  }

  /** Its clients try again, as the client does, until a node serves them. */
  #reconnect(room: Room, failures: number): void {
    this.queue.after(retryDelay(failures, this.#unit()) / 1000, () => {
      if (room.users === 0 || room.lostAt === null || this.#place(room)) return;
      this.#reconnect(room, failures + 1);
    });
  }

  /** A client asks for the room; false if the node that should have it does not answer. */
  #place(room: Room): boolean {
    const lease = this.#directory.get(room.name) ?? null;
    const owner = lease && this.#nodes.get(lease.node);
    const routed = lease && this.#isAlive(owner ?? undefined) ? lease.node : chooseNode(room.name, this.#candidates());
    const node = routed === null ? undefined : this.#nodes.get(routed);
    if (!node?.alive) return false;
    const alive = (id: string) => this.#isAlive(this.#nodes.get(id));
    const step = claimStep(room.name, { self: node.id, linked: true, draining: false, alive, lease, held: null });
    if (step.do !== 'create' && step.do !== 'take') return false;
    this.#directory.set(room.name, { ...step.record, revision: ++this.#revision });
    this.tally[step.do === 'create' ? 'creates' : 'takes'] += 1;
    const { node: before, lostAt } = room;
    if (before) {
      before.rooms.delete(room);
      before.cores -= coresOf(room.users, CAMERA);
      this.tally.moves += 1;
    }
    if (lostAt !== null) this.tally.recoveries.push(this.queue.now - lostAt);
    room.lostAt = null;
    room.node = node;
    node.rooms.add(room);
    node.cores += coresOf(room.users, CAMERA);
    return true;
  }
}

/** How many stays a room lives, about: the last of `users` who each stay an exponential time. */
function harmonic(users: number): number {
  let sum = 0;
  for (let user = 1; user <= users; user++) sum += 1 / user;
  return sum;
}
