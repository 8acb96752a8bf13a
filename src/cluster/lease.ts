/**
 * Who owns a room in a cluster, decided from what one node knows. Pure: the directory's record, who lives, and what is
 * served here go in; one step comes out, which the caller carries out and then asks again.
 *
 * The directory holds one record per room. Nodes write it by compare-and-set on its revision alone, so a room has one
 * owner in the directory at any time: a node that holds a room by a revision that is no longer the directory's is an owner
 * of the past, which learns it by the watch and yields. What is served while the directory is out of reach has no revision
 * (it is unconfirmed) and is settled on return: the record wins.
 */

/** What the directory says of a room. `epoch` counts its owners: it never goes down while there is a record. */
export interface RoomRecord {
  room: string;
  /** The owner's id. */
  node: string;
  epoch: number;
}

/** A record as the directory last showed it; the revision is the fencing token. */
export interface RoomLease extends RoomRecord {
  revision: number;
}

/** What this node serves; revision null: not confirmed by the directory. */
export interface HeldRoom {
  room: string;
  epoch: number;
  revision: number | null;
}

/** What a node knows about one room. */
export interface LeaseView {
  /** This node's id. */
  self: string;
  /** The directory can be asked, and its watch is up to date. */
  linked: boolean;
  /** This node takes no new rooms. */
  draining: boolean;
  /** Whether a node is believed to live; of this one it is true. */
  alive: (node: string) => boolean;
  /** The directory's record; null: there is none. */
  lease: RoomLease | null;
  held: HeldRoom | null;
}

/** What to do when somebody wants to join a room here. */
export type ClaimStep =
  /** It is ours. */
  | { do: 'serve' }
  /** The directory is out of reach: it is served here, marked. */
  | { do: 'serve-unconfirmed'; epoch: number }
  /** A living node has it. */
  | { do: 'send'; node: string }
  /** Nobody has it, and this node drains: the caller chooses another, or claims without `draining` if there is none. */
  | { do: 'place-elsewhere' }
  /** Compare-and-set: only if there is no record. */
  | { do: 'create'; record: RoomRecord }
  /** Compare-and-set on that revision. */
  | { do: 'take'; record: RoomRecord; revision: number };

/** What to do with a room that is served here, when the directory or the membership changed. */
export type HoldStep =
  | { do: 'keep' }
  /** The record is ours: its revision is what we hold by. */
  | { do: 'adopt'; revision: number; epoch: number }
  | { do: 'create'; record: RoomRecord }
  | { do: 'take'; record: RoomRecord; revision: number }
  /** A living node has it: this room's clients are to go there. */
  | { do: 'yield'; node: string };

/** A record older than the one that we hold by: the watch is behind our own write. */
const isBehind = ({ lease, held }: LeaseView): boolean =>
  lease !== null && held !== null && held.revision !== null && lease.revision < held.revision;

/**
 * A request for a room came to this node. A step that writes may fail because another node was quicker; then the record
 * is read anew and this is asked again.
 */
export function claimStep(room: string, view: LeaseView): ClaimStep {
  const { self, linked, draining, lease, held } = view;
  const owned = (epoch: number): RoomRecord => ({ room, node: self, epoch });
  if (held && (!linked || isBehind(view))) {
    return held.revision === null ? { do: 'serve-unconfirmed', epoch: held.epoch } : { do: 'serve' };
  }
  if (!lease) {
    if (!linked) return { do: 'serve-unconfirmed', epoch: 1 };
    if (draining && !held) return { do: 'place-elsewhere' };
    return { do: 'create', record: owned(held?.epoch ?? 1) };
  }
  if (lease.node === self) {
    if (held) return { do: 'serve' };
    if (!linked) return { do: 'serve-unconfirmed', epoch: lease.epoch };
    // Written again: a release of ours that is still on its way must not take the record away.
    return { do: 'take', record: owned(lease.epoch), revision: lease.revision };
  }
  if (view.alive(lease.node)) return { do: 'send', node: lease.node };
  const epoch = Math.max(lease.epoch, held?.epoch ?? 0) + 1;
  if (!linked) return { do: 'serve-unconfirmed', epoch };
  if (draining && !held) return { do: 'place-elsewhere' };
  return { do: 'take', record: owned(epoch), revision: lease.revision };
}

/** Settles a room that this node serves with what the directory says of it. */
export function holdStep(view: LeaseView & { held: HeldRoom }): HoldStep {
  const { self, linked, lease, held } = view;
  if (!linked || isBehind(view)) return { do: 'keep' };
  if (!lease) return { do: 'create', record: { room: held.room, node: self, epoch: held.epoch } };
  if (lease.node === self) {
    const current = held.revision === lease.revision && held.epoch === lease.epoch;
    return current ? { do: 'keep' } : { do: 'adopt', revision: lease.revision, epoch: lease.epoch };
  }
  if (view.alive(lease.node)) return { do: 'yield', node: lease.node };
  const record = { room: held.room, node: self, epoch: Math.max(lease.epoch, held.epoch) + 1 };
  return { do: 'take', record, revision: lease.revision };
}
