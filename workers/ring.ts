/**
 * A bounded single-writer, single-reader queue of records in shared memory, from one shard to another.
 *
 * Layout: three Int32 control words (read position, write position, dropped), then the bytes. A position counts bytes
 * for ever (modulo 2^32), so full and empty differ. A record is a 4-byte length, its own position (4 bytes) and its bytes,
 * padded to 4; a length of -1 says that the rest of the buffer is unused and the next record starts at its beginning.
 *
 * A record can't be read torn: the write position moves past it when all of it is written, and its bytes are written over
 * only when the read position has moved past it. Should a control word be overwritten all the same, no record is found
 * where it points to, as none there names that position: the ring is emptied, and goes on.
 */
const CONTROL_WORDS = 3;
const READ = 0;
const WRITE = 1;
const DROPPED = 2;
const SKIP = -1;
/** Bytes before a record's own: length and position. */
const RECORD_HEAD = 8;
const align = (bytes: number) => (bytes + 3) & ~3;
const isAligned = (position: number) => (position & 3) === 0;

/** Bytes of a ring's buffer: room for a handful of the largest messages (256 KiB), or 1,500 packets. A power of two. */
export const RING_BYTES = 1 << 21;

/** Pages that were never written take no memory. */
export const createRing = (): SharedArrayBuffer => new SharedArrayBuffer(CONTROL_WORDS * 4 + RING_BYTES);

export class Ring {
  private readonly control: Int32Array;
  private readonly bytes: Buffer;
  private readonly capacity: number;
  /** Bytes that the record of the last peek() takes, its length word and padding included; 0: none. */
  private peeked = 0;

  constructor(memory: SharedArrayBuffer) {
    this.control = new Int32Array(memory, 0, CONTROL_WORDS);
    this.bytes = Buffer.from(memory, CONTROL_WORDS * 4);
    this.capacity = this.bytes.length;
  }

  /** Records that found no room since the start. */
  get dropped(): number {
    return Atomics.load(this.control, DROPPED) >>> 0;
  }

  /**
   * Appends one record given in two parts. Writer's side only.
   *
   * @param spare bytes that have to stay free, for what matters more
   * @returns false, and counted, if there is no room for it
   */
  write(head: Buffer, body: Buffer, spare = 0): boolean {
    const length = head.length + body.length;
    const needed = RECORD_HEAD + align(length);
    const write = Atomics.load(this.control, WRITE) >>> 0;
    const read = Atomics.load(this.control, READ) >>> 0;
    const used = (write - read) >>> 0;
    if (!isAligned(write) || used > this.capacity) {
      // A control word was overwritten: the ring is emptied from this side, which wakes no reader.
      Atomics.store(this.control, WRITE, align(read) | 0);
      Atomics.add(this.control, DROPPED, 1);
      return false;
    }
    const offset = write & (this.capacity - 1);
    const toEnd = this.capacity - offset;
    const skipped = needed > toEnd ? toEnd : 0;
    if (used + skipped + needed + spare > this.capacity) {
      Atomics.add(this.control, DROPPED, 1);
      return false;
    }
    if (skipped > 0) this.bytes.writeInt32LE(SKIP, offset);
    const start = skipped > 0 ? 0 : offset;
    this.bytes.writeInt32LE(length, start);
    this.bytes.writeInt32LE((write + skipped) | 0, start + 4);
    head.copy(this.bytes, start + RECORD_HEAD);
    body.copy(this.bytes, start + RECORD_HEAD + head.length);
    Atomics.store(this.control, WRITE, (write + skipped + needed) | 0);
    return true;
  }

  /**
   * The oldest record, in place: its bytes are good until advance(). null if there is none. Reader's side only.
   * What can't be a record (a control word was overwritten, or the other thread died while writing) empties the ring.
   */
  peek(): Buffer | null {
    this.peeked = 0;
    for (;;) {
      const read = Atomics.load(this.control, READ) >>> 0;
      const write = Atomics.load(this.control, WRITE) >>> 0;
      if (read === write) return null;
      const used = (write - read) >>> 0;
      const offset = read & (this.capacity - 1);
      const toEnd = this.capacity - offset;
      if (!isAligned(read) || used > this.capacity) return this.empty(write);
      const length = this.bytes.readInt32LE(offset);
      if (length === SKIP && toEnd < used) {
        Atomics.store(this.control, READ, (read + toEnd) | 0);
        continue;
      }
      const taken = RECORD_HEAD + align(length);
      if (length < 0 || length > this.capacity || taken > Math.min(toEnd, used)) return this.empty(write);
      if (this.bytes.readUInt32LE(offset + 4) !== read) return this.empty(write);
      this.peeked = taken;
      return this.bytes.subarray(offset + RECORD_HEAD, offset + RECORD_HEAD + length);
    }
  }

  private empty(write: number): null {
    Atomics.store(this.control, READ, (write & ~3) | 0);
    return null;
  }

  /** Gives the record of the last peek() back to the writer. */
  advance(): void {
    const read = Atomics.load(this.control, READ) >>> 0;
    Atomics.store(this.control, READ, (read + this.peeked) | 0);
    this.peeked = 0;
  }

  /** Takes the oldest record out, as a copy; null if there is none. Reader's side only. */
  read(): Buffer | null {
    const record = this.peek();
    const copy = record && Buffer.from(record);
    this.advance();
    return copy;
  }
}
