import { z } from 'zod';
import type { NodeRecord } from './node-choice.js';

/** Milliseconds for which a node counts as living after it was last heard of: three times as long as it is silent. */
export const NODE_TTL = 6_000;

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
});

/** @returns null for what is no node's record */
export function readNodeRecord(text: string): NodeRecord | null {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * The nodes of the cluster, and which of them live. Each node judges by its own clock: a record's age is the time since
 * it came here. While NATS is away nobody is heard of, so whoever lived when it went counts as living until it has been
 * back for as long as a node may be silent. Time is an argument, in milliseconds of a monotonic clock.
 */
export class Membership {
  readonly self: string;
  readonly #nodes = new Map<string, { record: NodeRecord; heard: number }>();
  /** Those who lived when NATS went; null = they are judged by their age alone. */
  #before: ReadonlySet<string> | null = null;
  /** When NATS came back; null = it is away. */
  #backSince: number | null = null;

  constructor(self: string) {
    this.self = self;
  }

  hear(record: NodeRecord, now: number): void {
    // Two processes can't listen on one address: the older one has ended, whatever its record says.
    for (const [id, { record: other }] of this.#nodes) {
      if (id === record.id || other.address !== record.address) continue;
      if (other.started > record.started) return;
      this.#nodes.delete(id);
    }
    this.#nodes.set(record.id, { record, heard: now });
  }

  /** The node said that it ends. */
  forget(id: string): void {
    this.#nodes.delete(id);
  }

  /** NATS is away: nobody is heard of from now on. */
  lost(now: number): void {
    this.#before = new Set(this.living(now).map(({ id }) => id));
    this.#backSince = null;
  }

  /** NATS is back. */
  back(now: number): void {
    this.#backSince = now;
  }

  /** The node can't be reached: without NATS there is nothing else to judge it by. */
  unreachable(id: string): void {
    if (this.#backSince !== null || !this.#before?.has(id)) return;
    this.#before = new Set([...this.#before].filter((one) => one !== id));
  }

  alive(id: string, now: number): boolean {
    if (id === this.self) return true;
    const node = this.#nodes.get(id);
    if (!node) return false;
    const spared = this.#backSince === null || now - this.#backSince < NODE_TTL;
    if (spared && this.#before?.has(id)) return true;
    return this.#backSince !== null && now - node.heard < NODE_TTL;
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
    for (const [id, { heard }] of this.#nodes) {
      if (id !== this.self && !this.alive(id, now) && now - heard > 2 * NODE_TTL) this.#nodes.delete(id);
    }
  }
}
