import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Entry } from './bucket.js';
import type { RoomLease, RoomRecord } from './lease.js';

/** Room ids are clients' texts and may hold anything; a key is a digest, in letters that NATS takes (43 of them). */
export function keyOf(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
}

const record = z.object({
  room: z.string(),
  node: z.string().regex(/^[a-z0-9]{12}$/),
  epoch: z.number().int().positive(),
});

function readRoomRecord(text: string): RoomRecord | null {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whose room is whose, as far as this node knows: the bucket's content, a moment late. */
export class Directory {
  readonly #leases = new Map<string, RoomLease>();

  get size(): number {
    return this.#leases.size;
  }

  find(room: string): RoomLease | null {
    return this.#leases.get(keyOf(room)) ?? null;
  }

  all(): IterableIterator<RoomLease> {
    return this.#leases.values();
  }

  /** @returns the room that this is about; null if nothing is new, or it can't be read */
  learn({ key, text, revision, deleted }: Entry): string | null {
    const known = this.#leases.get(key);
    // What this node wrote or asked for itself may be newer than what the watch tells just now.
    if (known && revision <= known.revision) return null;
    if (deleted) {
      this.#leases.delete(key);
      return known?.room ?? null;
    }
    const read = readRoomRecord(text);
    if (!read || keyOf(read.room) !== key) return null;
    this.#leases.set(key, { ...read, revision });
    return read.room;
  }

  /** There is no such record any more. */
  drop(key: string): void {
    this.#leases.delete(key);
  }

  /** Forgets all but these keys. @returns the rooms that are forgotten */
  keep(keys: ReadonlySet<string>): string[] {
    const gone = [...this.#leases].filter(([key]) => !keys.has(key));
    for (const [key] of gone) this.#leases.delete(key);
    return gone.map(([, { room }]) => room);
  }
}
