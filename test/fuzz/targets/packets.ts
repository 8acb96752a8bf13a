/** RTP packets as an enemy would send them: every part of the header at random, then bits, bytes and lengths changed. */
import type { HeaderExtensions } from '../../../workers/protocol.js';
import { RTX_PT, VIDEO_PT } from '../../support/engine.js';
import type { Random } from '../../support/random.js';
import { DELTA, element, KEYFRAME, rtp } from '../../support/rtp.js';

export const VIDEO_CODECS = ['h264', 'vp8', 'vp9', 'av1'] as const;
export type VideoCodec = (typeof VIDEO_CODECS)[number];

/** What the publisher negotiated. */
export const UP_EXTENSIONS: HeaderExtensions = {
  mid: 1,
  audioLevel: 2,
  absSendTime: 3,
  transportCc: 4,
  videoOrientation: 5,
  playoutDelay: 6,
};
/** What its subscribers did. */
export const DOWN_EXTENSIONS: readonly HeaderExtensions[] = [
  {},
  { audioLevel: 3, absSendTime: 2, videoOrientation: 14, playoutDelay: 9 },
  { absSendTime: 200, videoOrientation: 15 },
];

const IDS = [1, 2, 3, 4, 5, 6, 7, 14];
const LENGTHS = [1, 1, 3, 2, 1, 3, 5, 4];
/** Shapes of packets that are made once and then changed: to make each anew would take most of the time. */
const SHAPES = 256;

/** A publisher that no browser would be, mostly well-formed. */
export function shapesOf(random: Random, codec: VideoCodec, payloadTypes: readonly number[]): Buffer[] {
  return Array.from({ length: SHAPES }, () => {
    const elements = Array.from({ length: random.below(6) }, () => {
      const i = random.below(IDS.length);
      return element(IDS[i] ?? 1, ...random.bytes((LENGTHS[i] ?? 1) + (random.once(10) ? 1 : 0)));
    });
    const payloadType = random.once(40) ? random.below(128) : random.pick(payloadTypes);
    const start = random.once(6) ? KEYFRAME[codec] : DELTA[codec];
    const number = payloadType === RTX_PT ? random.bytes(2) : Buffer.alloc(0);
    return rtp({
      payloadType,
      sequence: 0,
      marker: random.once(3),
      csrcs: random.once(8) ? Array.from({ length: random.below(16) }, () => random.below(2 ** 32)) : [],
      ...(random.once(3) ? {} : { elements, form: random.once(4) ? 'two-byte' : 'one-byte' }),
      payload: Buffer.concat([number, start, random.bytes(random.below(60))]),
      padding: random.once(12) ? 1 + random.below(255) : 0,
    });
  });
}

/**
 * A copy of a packet behind a spare first byte: its bits flipped, bytes replaced, the end cut off or added to.
 *
 * @param clean how many of a hundred stay as they are
 */
export function mutated(random: Random, packet: Buffer, clean: number): Buffer {
  const { length } = packet;
  if (random.once(400)) return random.bytes(1 + random.below(2000));
  const longer = random.once(12) ? random.below(200) : 0;
  const mutant = Buffer.allocUnsafe(1 + length + longer);
  packet.copy(mutant, 1);
  if (random.below(100) < clean) return mutant.subarray(0, 1 + length);
  for (let i = longer; i > 0; i--) mutant[length + i] = random.below(256);
  for (let i = random.below(4); i > 0; i--) {
    const at = 1 + (random.once(2) ? random.below(Math.min(40, length)) : random.below(length));
    mutant[at] = random.once(2) ? random.below(256) : (mutant[at] ?? 0) ^ (1 << random.below(8));
  }
  return random.once(4) ? mutant.subarray(0, 1 + random.below(length + 1)) : mutant;
}

/** The next packet of a stream, in one of the shapes. */
export function numbered(random: Random, shapes: readonly Buffer[], sequence: number): Buffer {
  const packet = random.pick(shapes);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((Math.floor(sequence / 3) * 3000) >>> 0, 4);
  packet.writeUInt32BE(random.once(25) ? 2 : 1, 8);
  return packet;
}

export const VIDEO_ONLY = [VIDEO_PT];
