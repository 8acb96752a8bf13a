/** When the engine can't be trusted any more: then its worker ends, and the pool starts another in its place. */
import * as layout from '../assembly/layout.js';

/** What the engine says of its memory can't be: somebody wrote over its cells. */
export class EngineFault extends Error {}

/** Whether nothing that comes after this error could be right: a cell that lies, or a trap in the Wasm module. */
export function isFatal(error: unknown): boolean {
  return error instanceof EngineFault || error instanceof WebAssembly.RuntimeError;
}

/**
 * @param bytes of the memory
 * @throws EngineFault if no packet can lie at that address: neither in a slot nor in the outbox of retransmissions
 */
export function checkPacketAddress(address: number, bytes: number): void {
  const place = address - layout.ARENA_START - layout.SLOT_RECORD_SIZE;
  const inSlot = place >= 0 && place % layout.SLOT_SIZE === 0 && address + layout.PACKET_CAPACITY <= bytes;
  if (!inSlot && address !== layout.RTX_OUTBOX_START) throw new EngineFault(`No packet can lie at ${address}.`);
}
