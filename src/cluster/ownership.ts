import type { Log } from '../observability/log.js';
import type { Bucket } from './bucket.js';
import { Directory, keyOf } from './directory.js';
import { claimStep, type HeldRoom, holdStep, type LeaseView, type RoomRecord } from './lease.js';
import type { Membership } from './membership.js';
import { chooseNode } from './node-choice.js';

export interface OwnershipParts {
  membership: Membership;
  bucket: Pick<Bucket, 'create' | 'update' | 'delete' | 'get'>;
  /** Whether NATS is here. */
  linked: () => boolean;
  /** Whether somebody is in the room, on this node. */
  occupied: (room: string) => boolean;
  /** Sends everybody in the room to connect again: it is another node's. */
  dismiss: (room: string) => void;
  log: Log;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** Times something happened to rooms' ownership, since the start. */
export interface OwnershipCounters {
  /** Rooms that this node took up: new ones, and those of nodes that died. */
  created: number;
  taken: number;
  /** Rooms served without NATS' knowledge. */
  unconfirmed: number;
  /** Rooms given up to another node that has them by right. */
  yielded: number;
  /** Times another node was faster. */
  contested: number;
}

/** Attempts of one claim: each one but the last lost against another node. */
const ATTEMPTS_MAX = 8;
/** Milliseconds for which an empty room is kept: who reloads a page comes back to where the others were. */
const LINGER = 20_000;
/** Milliseconds between renewals of a room's record, which NATS forgets after three of them. */
export const RENEWAL = 8 * 3_600_000;
export const ROOM_TTL = 3 * RENEWAL;

interface Held extends HeldRoom {
  emptySince: number | null;
  written: number;
}

/** Where a room is: here, on another node, or nowhere while this node takes no new ones and there is no other. */
export type Place = { here: true } | { here: false; node: string };
const HERE: Place = { here: true };

/** The rooms of this node: claimed by compare-and-set, given up when somebody else has them by right. */
export class Ownership {
  readonly directory = new Directory();
  readonly counters: OwnershipCounters = { created: 0, taken: 0, unconfirmed: 0, yielded: 0, contested: 0 };
  /** Whether this node takes no new rooms. */
  draining = false;
  readonly #parts: OwnershipParts;
  readonly #held = new Map<string, Held>();
  readonly #claims = new Map<string, Promise<Place>>();

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Rooms that are served without NATS' knowledge at the moment. */
  get unconfirmed(): number {
    let count = 0;
    for (const { revision } of this.#held.values()) if (revision === null) count += 1;
    return count;
  }

  holds(room: string): boolean {
    return this.#held.has(room);
  }

  /** Somebody wants to come into the room here. At once if the room is this node's already, else when that is decided. */
  claim(room: string): Place | Promise<Place> {
    const step = claimStep(room, this.#view(room));
    if (step.do === 'serve' || (step.do === 'serve-unconfirmed' && this.#held.has(room))) return HERE;
    const running = this.#claims.get(room);
    if (running) return running;
    const claim = this.#claim(room).finally(() => this.#claims.delete(room));
    this.#claims.set(room, claim);
    return claim;
  }

  /** Looks again at a room that this node holds: the directory has changed. */
  settle(room: string): void {
    const held = this.#held.get(room);
    // A claim on its way decides by itself.
    if (!held || this.#claims.has(room)) return;
    const step = holdStep({ ...this.#view(room), held });
    switch (step.do) {
      case 'keep':
        return;
      case 'adopt':
        held.revision = step.revision;
        held.epoch = step.epoch;
        return;
      case 'yield':
        this.#held.delete(room);
        this.counters.yielded += 1;
        this.#parts.log('warn', 'a room is another node’s: its clients are sent there', { room, node: step.node });
        this.#parts.dismiss(room);
        return;
      case 'create':
        void this.#write(room, step.record, null);
        return;
      case 'take':
        void this.#write(room, step.record, step.revision);
        return;
      default:
        step satisfies never;
    }
  }

  /** Looks again at all of them: NATS is back, or a node has died. */
  settleAll(): void {
    for (const room of [...this.#held.keys()]) this.settle(room);
  }

  /** Gives up what has been empty for a while, and renews the rest; to be called every few seconds. */
  sweep(): void {
    const now = this.#parts.now();
    for (const held of [...this.#held.values()]) {
      if (this.#parts.occupied(held.room)) held.emptySince = null;
      else if (held.emptySince === null) held.emptySince = now;
      else if (now - held.emptySince >= LINGER) void this.release(held.room);
      if (held.revision === null) this.settle(held.room);
      else if (now - held.written >= RENEWAL && this.#parts.linked()) {
        const { room, epoch, revision } = held;
        void this.#write(room, { room, epoch, node: this.#parts.membership.self }, revision);
      }
    }
  }

  /** Gives a room up; whoever is asked for it next may have it. */
  async release(room: string): Promise<void> {
    const held = this.#held.get(room);
    if (!held) return;
    this.#held.delete(room);
    if (held.revision === null) return;
    try {
      await this.#parts.bucket.delete(keyOf(room), held.revision);
    } catch (error) {
      // Its record says that it is ours, and we are not there: the next one who claims it takes it.
      this.#parts.log('info', 'a room could not be given up', { room, error: String(error) });
    }
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((room) => this.release(room)));
  }

  /** The living nodes that may have new rooms. */
  candidates(but?: string): ReturnType<Membership['living']> {
    const { membership, now } = this.#parts;
    return membership.living(now()).filter(({ id, draining }) => id !== but && !draining && membership.trusts(id));
  }

  #view(room: string): LeaseView {
    const { membership, linked, now } = this.#parts;
    return {
      self: membership.self,
      linked: linked(),
      draining: this.draining,
      alive: (node) => membership.alive(node, now()),
      lease: this.directory.find(room),
      held: this.#held.get(room) ?? null,
    };
  }

  async #claim(room: string): Promise<Place> {
    let view = this.#view(room);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const step = claimStep(room, view);
      switch (step.do) {
        case 'serve':
          return HERE;
        case 'serve-unconfirmed':
          this.#hold({ room, epoch: step.epoch, revision: null });
          this.counters.unconfirmed += 1;
          this.#parts.log('warn', 'a room is served without NATS’ knowledge', { room });
          return HERE;
        case 'send':
          return { here: false, node: step.node };
        case 'place-elsewhere': {
          const node = chooseNode(room, this.candidates(view.self));
          if (node !== null) return { here: false, node };
          view = { ...view, draining: false };
          continue;
        }
        case 'create':
        case 'take':
          if ((await this.#write(room, step.record, step.do === 'take' ? step.revision : null)) === 'failed') {
            // It may have been written all the same: then the record that comes says so.
            view = { ...this.#view(room), linked: false };
          } else {
            view = this.#view(room);
          }
          continue;
        default:
          step satisfies never;
      }
    }
    throw new Error('other nodes were faster again and again');
  }

  #hold(held: HeldRoom): void {
    const emptySince = this.#held.get(held.room)?.emptySince ?? null;
    this.#held.set(held.room, { ...held, emptySince, written: this.#parts.now() });
  }

  /** @param revision that it must have; null = there must be none */
  async #write(room: string, record: RoomRecord, revision: number | null): Promise<'written' | 'lost' | 'failed'> {
    const { bucket, log } = this.#parts;
    const key = keyOf(room);
    const text = JSON.stringify(record satisfies RoomRecord);
    try {
      const written = revision === null ? await bucket.create(key, text) : await bucket.update(key, text, revision);
      if (written !== null) {
        const known = this.#held.get(room);
        if (!known) this.counters[revision === null ? 'created' : 'taken'] += 1;
        this.directory.learn({ key, text, revision: written, deleted: false });
        this.#hold({ room, epoch: record.epoch, revision: written });
        return 'written';
      }
      this.counters.contested += 1;
      const now = await bucket.get(key);
      if (now) this.directory.learn(now);
      else this.directory.drop(key);
      queueMicrotask(() => this.settle(room));
      return 'lost';
    } catch (error) {
      log('warn', 'a room’s owner could not be written', { room, error: String(error) });
      return 'failed';
    }
  }
}
