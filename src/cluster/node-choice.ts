/** Which node a new room goes to. Pure: every node that knows the same of the others chooses the same. */
import { createHash } from 'node:crypto';

/** What a node tells the others of itself, every two seconds. */
export interface NodeRecord {
  /** Random per process. */
  id: string;
  /** For people. */
  name: string;
  /** host:port of its private cluster port. */
  address: string;
  /** How much of what it can do it does, 0..1, more if overloaded: the greatest of CPU, loop delay and the like. */
  load: number;
  rooms: number;
  clients: number;
  /** It takes no new rooms. */
  draining: boolean;
  /** Milliseconds since 1970. */
  started: number;
  version: string;
  /** Rooms that it serves without NATS' knowledge. */
  unconfirmed: number;
  /** Conflicts about rooms since its start: given up to others, or others were faster. */
  conflicts: number;
  /** Its name and address, signed with the cluster's secret. */
  proof: string;
}

/** What the choice is made by. */
export type NodeCandidate = Pick<NodeRecord, 'id' | 'load' | 'draining'>;

/** Loads that differ by less are as good as equal: a choice is not to change with every breath. */
export const LOAD_TIE = 0.1;

/** A room's seed of the order of nodes, 32 bits; as good as random in the room's id, whoever chose it. */
function seedOf(room: string): number {
  return createHash('sha256').update(room).digest().readUInt32LE(0);
}

/** A node's place in the order of a room (rendezvous hashing), 0 up to 2^53; mixes as MurmurHash3 does. */
function rank(seed: number, node: string): number {
  let low = seed ^ 0x9e3779b9;
  let high = seed ^ 0x85ebca6b;
  for (let i = 0; i < node.length; i++) {
    const code = node.charCodeAt(i);
    low = Math.imul(low ^ code, 0xcc9e2d51);
    high = Math.imul(high ^ code, 0x1b873593);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (high >>> 16), 0x85ebca6b);
  high = Math.imul(high ^ (low >>> 13), 0xc2b2ae35);
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/**
 * Two candidates by rendezvous hash, of which the one with less to do is chosen (the power of two choices); the first one
 * on a tie. A node that comes or goes changes the choice of those rooms only that it is a candidate of.
 *
 * @param nodes those that live; if all of them are draining, one of them is chosen
 * @returns the id; null if there are no nodes
 */
export function chooseNode(room: string, nodes: readonly NodeCandidate[]): string | null {
  const open = nodes.filter(({ draining }) => !draining);
  const seed = seedOf(room);
  let first: { node: NodeCandidate; rank: number } | null = null;
  let second: { node: NodeCandidate; rank: number } | null = null;
  for (const node of open.length > 0 ? open : nodes) {
    const ranked = { node, rank: rank(seed, node.id) };
    if (!first || ranked.rank < first.rank) {
      second = first;
      first = ranked;
    } else if (!second || ranked.rank < second.rank) {
      second = ranked;
    }
  }
  if (!first || !second) return first?.node.id ?? null;
  return first.node.load - second.node.load >= LOAD_TIE ? second.node.id : first.node.id;
}
