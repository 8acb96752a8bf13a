/** The last packets of each up track, by sequence number: one copy serves all subscribers, now and for their NACKs. */
import { HISTORY_AUDIO, HISTORY_START, HISTORY_VIDEO, KIND_AUDIO, UP_TRACKS_MAX } from './layout';
import { Slot, UpTrack } from './records';
import { findSlot, giveSlot } from './slots';

/** The cell that holds the address of the slot for a sequence number. */
export function historyCell(upIndex: i32, up: UpTrack, extended: i64): usize {
  const mask = (up.kind == KIND_AUDIO ? HISTORY_AUDIO : HISTORY_VIDEO) - 1;
  return HISTORY_START + ((upIndex * HISTORY_VIDEO + (<i32>extended & mask)) << 2);
}

/** What a cell holds, of whatever sequence number, or null. */
export function slotInCell(cell: usize): Slot | null {
  return findSlot(<usize>load<u32>(cell));
}

export function putInCell(cell: usize, slot: Slot): void {
  store<u32>(cell, <u32>changetype<usize>(slot));
}

/** The packet of the present source with that sequence number, or null if it never came or is no longer kept. */
export function findPacket(upIndex: i32, up: UpTrack, extended: i64): Slot | null {
  const slot = slotInCell(historyCell(upIndex, up, extended));
  if (slot === null || slot.epoch != up.epoch || slot.extended != extended) return null;
  return slot;
}

/** Gives all slots of a track back. */
export function clearHistory(upIndex: i32): void {
  if (<u32>upIndex >= <u32>UP_TRACKS_MAX) return;
  const start = HISTORY_START + ((upIndex * HISTORY_VIDEO) << 2);
  for (let cell: usize = start; cell < <usize>start + HISTORY_VIDEO * 4; cell += 4) {
    const slot = slotInCell(cell);
    if (slot !== null) giveSlot(slot);
    store<u32>(cell, 0);
  }
}
