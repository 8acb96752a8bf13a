/** How loud a publisher is, by the levels that its packets tell (RFC 6464). */
import { EXTENSION_AUDIO_LEVEL } from './layout';
import { Slot, UpTrack } from './records';
import { findUpTrack } from './up-tracks';

/** Keeps the level of a packet if it is the loudest yet: 7 bits, 0 to 127 below the loudest possible. */
export function noteLoudness(up: UpTrack, slot: Slot): void {
  if (EXTENSION_AUDIO_LEVEL != 0) ERROR("the audio level is not the first of a slot's extensions");
  if (slot.extensionOffset0 == 0) return;
  const loudness = <u8>(127 - (slot.extensionData0 & 0x7f));
  if (loudness > up.loudness) up.loudness = loudness;
}

/** @returns the loudest since the last call, 0 (silence, or no packet) .. 127 */
export function takeLoudness(upIndex: i32): i32 {
  const up = findUpTrack(upIndex);
  if (up === null) return 0;
  const loudness = up.loudness;
  up.loudness = 0;
  return loudness;
}
