/**
 * Packet slots for all tracks of the shard: taken from the end of the memory, which grows by need, and given back to a
 * free list. A slot is named by the address of its record; the packet's bytes follow the record.
 */
import { count } from './counters';
import {
  ARENA_GROWTH_PAGES,
  ARENA_START,
  COUNTER_SLOTS,
  COUNTER_SLOTS_FREE,
  PAGE_SIZE,
  SLOT_RECORD_SIZE,
  SLOT_SIZE,
} from './layout';
import { Slot } from './records';

/** Where the next new slot will lie. */
let arenaEnd: usize = ARENA_START;
let firstFree: usize = 0;

/** @returns a slot with whatever it held before, or null when the memory has reached its maximum */
export function takeSlot(): Slot | null {
  const free = findSlot(firstFree);
  if (free !== null) {
    firstFree = free.nextFree;
    count(COUNTER_SLOTS_FREE, -1);
    return free;
  }
  const address = arenaEnd;
  const limit = <u64>memory.size() * PAGE_SIZE;
  if (<u64>address + SLOT_SIZE > limit && memory.grow(ARENA_GROWTH_PAGES) < 0) return null;
  arenaEnd = address + SLOT_SIZE;
  count(COUNTER_SLOTS);
  return changetype<Slot>(address);
}

export function giveSlot(slot: Slot): void {
  slot.nextFree = firstFree;
  firstFree = changetype<usize>(slot);
  count(COUNTER_SLOTS_FREE);
}

/** The slot of that address, or null: 0 is none, and an address read from a table is not trusted either. */
export function findSlot(address: usize): Slot | null {
  if (address < <usize>ARENA_START || address >= arenaEnd) return null;
  if ((address - ARENA_START) % SLOT_SIZE != 0) return null;
  return changetype<Slot>(address);
}

/** Where the packet's first byte is. */
export function bytesOf(slot: Slot): usize {
  return changetype<usize>(slot) + SLOT_RECORD_SIZE;
}
