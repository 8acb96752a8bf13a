/**
 * Nodes, their directory and what lies between them, for the rules of leases alone: every message waits in a queue until
 * the test delivers it, gets lost with a link that is cut, or finds its node dead. What nodes believe of each other is the
 * test's choice, and may be wrong.
 */
import {
  claimStep,
  type HeldRoom,
  holdStep,
  type LeaseView,
  type RoomLease,
  type RoomRecord,
} from '../../src/cluster/lease.js';

interface Write {
  room: string;
  /** null: delete. */
  record: RoomRecord | null;
  /** The revision that is to be there; null: no record. */
  expected: number | null;
}

/** A compare-and-set on its way: applied or not, then answered or not. */
interface Operation {
  node: SimulatedNode;
  write: Write;
  /** null: the directory has not seen it yet. */
  applied: boolean | null;
}

/** Requests and answers that a node makes and takes, between the rules and the directory. */
export class SimulatedNode {
  readonly id: string;
  alive = true;
  /** The path to the directory. */
  connected = true;
  /** The watch is up to date, as far as the node knows. */
  linked = true;
  draining = false;
  /** What it has seen of the directory. */
  readonly seen = new Map<string, RoomLease | null>();
  readonly held = new Map<string, HeldRoom>();
  /** Of the others, what it believes. */
  readonly believedDead = new Set<string>();
  /** News of the directory on their way here, in order. */
  news: { room: string; lease: RoomLease | null }[] = [];
  /** Rooms that a client waits for, with the writes tried so far. */
  readonly claims = new Map<string, { attempts: number; answer: 'serve' | 'send' | 'elsewhere' | null }>();

  constructor(id: string) {
    this.id = id;
  }

  view(room: string): LeaseView {
    return {
      self: this.id,
      linked: this.linked,
      draining: this.draining,
      alive: (node) => node === this.id || !this.believedDead.has(node),
      lease: this.seen.get(room) ?? null,
      held: this.held.get(room) ?? null,
    };
  }
}

export class LeaseCluster {
  readonly nodes: SimulatedNode[] = [];
  readonly directory = new Map<string, RoomLease>();
  readonly operations: Operation[] = [];
  #revision = 0;
  #started = 0;

  start(): SimulatedNode {
    const node = new SimulatedNode(`node-${this.#started++}`);
    for (const [room, lease] of this.directory) node.seen.set(room, lease);
    this.nodes.push(node);
    return node;
  }

  get living(): SimulatedNode[] {
    return this.nodes.filter(({ alive }) => alive);
  }

  crash(node: SimulatedNode): void {
    node.alive = false;
    node.held.clear();
    node.claims.clear();
    node.news = [];
  }

  cut(node: SimulatedNode): void {
    node.connected = false;
    node.news = [];
  }

  /** The link is back: what the directory has now is what the watch starts with. */
  heal(node: SimulatedNode): void {
    node.connected = true;
    node.news = [];
    node.seen.clear();
    for (const [room, lease] of this.directory) node.seen.set(room, lease);
    node.linked = true;
  }

  /** A client asks a node for a room; it goes on where it waits already. */
  claim(node: SimulatedNode, room: string): void {
    if (!node.claims.has(room)) node.claims.set(room, { attempts: 0, answer: null });
    this.#claimOn(node, room);
  }

  #claimOn(node: SimulatedNode, room: string): void {
    const claim = node.claims.get(room);
    if (!claim || claim.answer) return;
    const step = claimStep(room, node.view(room));
    switch (step.do) {
      case 'serve':
        this.#adopt(node, room);
        claim.answer = 'serve';
        break;
      case 'serve-unconfirmed':
        if (!node.held.has(room)) node.held.set(room, { room, epoch: step.epoch, revision: null });
        claim.answer = 'serve';
        break;
      case 'send':
        claim.answer = 'send';
        break;
      case 'place-elsewhere':
        claim.answer = 'elsewhere';
        break;
      case 'create':
      case 'take':
        claim.attempts += 1;
        this.#send(node, { room, record: step.record, expected: step.do === 'take' ? step.revision : null });
    }
  }

  /** `serve` says that the record is ours or that we hold by a newer one. */
  #adopt(node: SimulatedNode, room: string): void {
    const lease = node.seen.get(room);
    if (lease?.node === node.id && !node.held.has(room))
      node.held.set(room, { room, epoch: lease.epoch, revision: lease.revision });
  }

  /** A node looks after a room that it serves. */
  settle(node: SimulatedNode, room: string): void {
    const held = node.held.get(room);
    if (!held) return;
    const step = holdStep({ ...node.view(room), held });
    switch (step.do) {
      case 'keep':
        break;
      case 'adopt':
        node.held.set(room, { room, epoch: step.epoch, revision: step.revision });
        break;
      case 'yield':
        node.held.delete(room);
        break;
      case 'create':
      case 'take':
        this.#send(node, { room, record: step.record, expected: step.do === 'take' ? step.revision : null });
    }
  }

  /** The room is empty: its owner takes the record away. */
  release(node: SimulatedNode, room: string): void {
    const held = node.held.get(room);
    if (!held) return;
    node.held.delete(room);
    if (held.revision !== null) this.#send(node, { room, record: null, expected: held.revision });
  }

  #send(node: SimulatedNode, write: Write): void {
    const pending = this.operations.some(
      (one) => one.node === node && one.write.room === write.room && one.write.record && write.record,
    );
    if (!pending) this.operations.push({ node, write, applied: null });
  }

  /** The next step of one operation: to the directory, or back. */
  deliver(index: number): void {
    const operation = this.operations[index % Math.max(1, this.operations.length)];
    if (!operation) return;
    const { node, write } = operation;
    if (operation.applied === null && node.connected) {
      operation.applied = this.#apply(write);
      return;
    }
    this.operations.splice(this.operations.indexOf(operation), 1);
    // Without an answer the node knows nothing; the watch will tell, or the next look.
    if (!node.alive || !node.connected || operation.applied === null) return;
    if (!operation.applied) this.#read(node, write.room);
    else if (write.record) this.#written(node, write.room, write.record);
    this.#claimOn(node, write.room);
  }

  #apply({ room, record, expected }: Write): boolean {
    const current = this.directory.get(room) ?? null;
    if ((current?.revision ?? null) !== expected) return false;
    this.#revision += 1;
    const lease = record && { ...record, revision: this.#revision };
    if (lease) this.directory.set(room, lease);
    else this.directory.delete(room);
    for (const node of this.nodes) if (node.alive && node.connected) node.news.push({ room, lease });
    return true;
  }

  /** The answer to a write names its revision: that of the record, if it is still the directory's. */
  #written(node: SimulatedNode, room: string, record: RoomRecord): void {
    const lease = this.directory.get(room);
    if (lease?.node !== record.node || lease.epoch !== record.epoch) return;
    node.seen.set(room, lease);
    node.held.set(room, { room, epoch: lease.epoch, revision: lease.revision });
  }

  #read(node: SimulatedNode, room: string): void {
    node.seen.set(room, this.directory.get(room) ?? null);
  }

  /** The oldest piece of news reaches a node. */
  hear(node: SimulatedNode): void {
    const news = node.news.shift();
    if (!news) return;
    const known = node.seen.get(news.room);
    if (!news.lease || !known || news.lease.revision > known.revision) node.seen.set(news.room, news.lease);
  }

  /** Who holds a room by the directory's own revision. */
  owners(room: string): SimulatedNode[] {
    const revision = this.directory.get(room)?.revision;
    return this.living.filter((node) => {
      const held = node.held.get(room);
      return held !== undefined && held.revision !== null && held.revision === revision;
    });
  }
}
