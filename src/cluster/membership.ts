import { z } from 'zod';
import type { NodeRecord } from './node-choice.js';

/** Milliseconds for which a node counts as living after it was last heard of: three times as long as it is silent. */
export const NODE_TTL = 6_000;
/** Milliseconds between two records of a node. */
export const HEARTBEAT = NODE_TTL / 3;
/** Milliseconds for which NATS may tell nothing and still count as there: this node's own record comes sooner. */
const SILENCE_LIMIT = 1.5 * HEARTBEAT;

const record = z.object({
  id: z.string().regex(/^[a-z0-9]{12}$/),
  name: z.string().max(100),
  address: z.string().max(300),
  load: z.number().nonnegative(),
  rooms: z.number().int().nonnegative(),
  clients: z.number().int().nonnegative(),
  draining: z.boolean(),
  started: z.number(),
  version: z.string().max(50),
  unconfirmed: z.number().int().nonnegative(),
  conflicts: z.number().int().nonnegative(),
  proof: z.string().max(100),
});

/** What a node's proof is about: who it is, and where its clients are sent. */
export function provenOf({ id, address }: Pick<NodeRecord, 'id' | 'address'>): string {
  return `${id} ${address}`;
}

/** @returns null for what is no node's record */
export function readNodeRecord(text: string): NodeRecord | null {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

interface Known {
  record: NodeRecord;
  revision: number;
  /** Whether it knows the cluster's secret. */
  trusted: boolean;
  /** When it was last heard of, in milliseconds of listening. */
  heard: number;
}

/**
 * The nodes of the cluster, and which of them live: those that were heard of within the last 6 s of listening. Time in
 * which NATS tells nothing, not even what this node says of itself, is silence of NATS and makes nobody dead: not while it
 * is away, nor before that is noticed, nor where this process itself stood still. Times are arguments, in milliseconds of
 * a monotonic clock.
 */
export class Membership {
  readonly self: string;
  readonly #nodes = new Map<string, Known>();
  /** Milliseconds of listening until `#proof`. */
  #listened = 0;
  /** When NATS last told something, or came; null = it is away. */
  #proof: number | null = null;

  constructor(self: string) {
    this.self = self;
  }

  /**
   * NATS tells of a node.
   *
   * @param revision of its record: what is told again when NATS is back is no sign of life
   * @param trusted whether its proof is right: a node that does not know the secret is one that nobody is sent to
   */
  hear(record: NodeRecord, revision: number, now: number, trusted = true): void {
    this.#listened = this.#listening(now);
    if (this.#proof !== null) this.#proof = now;
    if (this.#nodes.get(record.id)?.revision === revision) return;
    // Two processes can't listen on one address: the older one has ended, whatever its record says.
    for (const [id, { record: other, trusted: known }] of this.#nodes) {
      if (id === record.id || other.address !== record.address || known !== trusted) continue;
      if (other.started > record.started) return;
      this.#nodes.delete(id);
    }
    this.#nodes.set(record.id, { record, revision, trusted, heard: this.#listened });
  }

  /** The node said that it ends. */
  forget(id: string): void {
    this.#nodes.delete(id);
  }

  /** NATS is away: nobody is heard of from now on. */
  lost(now: number): void {
    this.#listened = this.#listening(now);
    this.#proof = null;
  }

  /** NATS is back: whoever lived when it went has as long as ever to be heard of. */
  back(now: number): void {
    this.#listened = this.#listening(now);
    this.#proof = now;
    for (const node of this.#nodes.values()) if (this.#isFresh(node, now)) node.heard = this.#listened;
  }

  /** The node has not been reached for long: while NATS is away there is nothing else to judge it by. */
  unreachable(id: string): void {
    const node = this.#nodes.get(id);
    if (node && this.#proof === null) node.heard = Number.NEGATIVE_INFINITY;
  }

  alive(id: string, now: number): boolean {
    if (id === this.self) return true;
    const node = this.#nodes.get(id);
    return node !== undefined && this.#isFresh(node, now);
  }

  /** Whether the node knows the cluster's secret. */
  trusts(id: string): boolean {
    return id === this.self || (this.#nodes.get(id)?.trusted ?? false);
  }

  /** The record of a living node. */
  find(id: string, now: number): NodeRecord | null {
    return this.alive(id, now) ? (this.#nodes.get(id)?.record ?? null) : null;
  }

  /** All that live, this one too once it has heard of itself. */
  living(now: number): NodeRecord[] {
    return [...this.#nodes.values()].map((node) => node.record).filter(({ id }) => this.alive(id, now));
  }

  /** Forgets those who have been silent for long; to be called every few seconds. */
  sweep(now: number): void {
    const listened = this.#listening(now);
    for (const [id, { heard }] of this.#nodes) {
      if (id !== this.self && listened - heard > 2 * NODE_TTL) this.#nodes.delete(id);
    }
  }

  /** Milliseconds of listening so far. */
  #listening(now: number): number {
    return this.#proof === null ? this.#listened : this.#listened + Math.min(now - this.#proof, SILENCE_LIMIT);
  }

  #isFresh({ heard }: Known, now: number): boolean {
    return this.#listening(now) - heard < NODE_TTL;
  }
}
