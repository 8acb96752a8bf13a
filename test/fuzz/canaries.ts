/** Bytes that the engine must never write, and rubbish where it must never read. */
import assert from 'node:assert/strict';
import * as layout from '../../assembly/layout.js';

const CANARY = 0xc5;
const INTACT = Buffer.alloc(layout.ENGINE_START, CANARY);
const SLOT_END = layout.SLOT_RECORD_SIZE + layout.PACKET_CAPACITY;

/** Where a gap was written to first; -1: nowhere. */
function firstWrong(gap: Uint8Array): number {
  if (INTACT.subarray(0, gap.length).compare(gap) === 0) return -1;
  return gap.findIndex((byte) => byte !== CANARY);
}

/** The memory of one engine, with canaries in all that no table takes: below and between the tables, and behind every slot. */
export class Canaries {
  readonly #memory: WebAssembly.Memory;
  readonly #cells: Int32Array;
  #bytes: Uint8Array;
  #slots = 0;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#cells = new Int32Array(memory.buffer, layout.CELLS_START, layout.CELLS);
    this.#bytes = new Uint8Array(memory.buffer);
    for (const gap of this.#gaps()) gap.fill(CANARY);
    this.#grow();
  }

  /** Puts rubbish behind a packet that is about to be put into the engine's inbox. */
  litter(length: number, byte: number): void {
    const inbox = this.#cells[layout.CELL_INBOX] ?? 0;
    if (inbox + layout.PACKET_CAPACITY > this.#bytes.length) this.#grow();
    if (length < layout.PACKET_CAPACITY) this.#bytes.fill(byte, inbox + length, inbox + layout.PACKET_CAPACITY);
  }

  /** The same for the RTCP inbox. */
  litterRtcp(length: number, byte: number): void {
    const start = layout.RTCP_INBOX_START;
    this.#bytes.fill(byte, start + Math.min(length, layout.PACKET_CAPACITY), start + layout.PACKET_CAPACITY);
  }

  /** @throws if any canary was overwritten */
  check(): void {
    for (const gap of this.#gaps()) {
      const at = firstWrong(gap);
      assert.ok(at < 0, `the engine wrote at ${gap.byteOffset + at}, which belongs to no table`);
    }
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = firstWrong(this.#behind(slot));
      assert.ok(at < 0, `the engine wrote ${at} bytes behind packet slot ${slot}`);
    }
  }

  #gaps(): Uint8Array[] {
    return [
      // The first page is the compiler's, which has put nothing there.
      this.#bytes.subarray(0, layout.ENGINE_START),
      this.#bytes.subarray(layout.RTCP_INBOX_START + layout.PACKET_CAPACITY, layout.RTCP_OUTBOX_START),
      this.#bytes.subarray(layout.TABLES_END, layout.ARENA_START),
    ];
  }

  #behind(slot: number): Uint8Array {
    const start = layout.ARENA_START + slot * layout.SLOT_SIZE;
    return this.#bytes.subarray(start + SLOT_END, start + layout.SLOT_SIZE);
  }

  /** The memory grew: its new slots have canaries too. */
  #grow(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    const slots = Math.floor((this.#bytes.length - layout.ARENA_START) / layout.SLOT_SIZE);
    for (; this.#slots < slots; this.#slots++) this.#behind(this.#slots).fill(CANARY);
  }
}
