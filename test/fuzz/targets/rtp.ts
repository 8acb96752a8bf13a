/** The engine's media path, held against the same in plain TypeScript, with rubbish behind every packet. */
import assert from 'node:assert/strict';
import * as layout from '../../../assembly/layout.js';
import { PlainDownTrack, PlainEngine, PlainUpTrack } from '../../../bench/plain-engine.js';
import { readCounters } from '../../../workers/engine.js';
import { downParameters, PUBLISHER, Stage, upParameters } from '../../support/engine.js';
import { Canaries } from '../canaries.js';
import {
  DOWN_EXTENSIONS,
  mutated,
  numbered,
  shapesOf,
  UP_EXTENSIONS,
  VIDEO_CODECS,
  VIDEO_ONLY,
  type VideoCodec,
} from './packets.js';
import { defineTarget, hexLines } from './target.js';

/** Packets of one input. */
const PACKETS = 2000;
/** What a part is, by its first byte; the first part of an input says the codec. */
const PACKET = 0;
const BLOCK = 1;
const CODEC = 2;

const codecOf = (part: Buffer | undefined): VideoCodec => VIDEO_CODECS[(part?.[1] ?? 0) % 4] ?? 'vp8';

/** Those that came up, of receive() and translate(): what the tests ask for in the end. */
export const verdicts = new Set<number>();

export const rtpTarget = defineTarget<Buffer>({
  ...hexLines,
  name: 'rtp',
  unit: 'packets',
  promise:
    'Every packet gets the verdict, and every subscriber the bytes, that the plain engine gives it; what lies behind the packet changes nothing; nothing is written between the slots.',
  make(random) {
    const codec = random.below(4);
    const shapes = shapesOf(random, VIDEO_CODECS[codec] ?? 'vp8', VIDEO_ONLY);
    const parts: Buffer[] = [Buffer.from([CODEC, codec])];
    let sequence = random.below(65536);
    for (let i = 0; i < PACKETS; i++) {
      sequence += random.once(300) ? 5000 : random.once(5) ? random.below(4) : 1;
      const late = random.once(10) ? random.below(random.once(5) ? 700 : 20) : 0;
      const part = mutated(random, numbered(random, shapes, sequence - late), 30);
      part[0] = PACKET;
      parts.push(part);
      if (random.once(50)) parts.push(Buffer.from([BLOCK, 2 + random.below(3), random.below(2)]));
    }
    return parts;
  },
  async run(parts) {
    const codec = codecOf(parts.find((part) => part[0] === CODEC));
    const stage = await Stage.open(codec, UP_EXTENSIONS);
    const { engine } = stage;
    // The plain engine knows one track and no retransmission streams.
    const parameters = { ...upParameters(codec, UP_EXTENSIONS), rtxPayloadType: null };
    engine.configureUpTrack(stage.video, parameters);
    const plain = new PlainEngine();
    const plainUp = new PlainUpTrack(parameters, PUBLISHER);
    const downs = DOWN_EXTENSIONS.map((extensions, i) => stage.subscribe('video', { extensions, ssrc: 5 + i }, i + 2));
    const plainDowns = DOWN_EXTENSIONS.map(
      (extensions, i) => new PlainDownTrack(plainUp, downParameters('video', { extensions, ssrc: 5 + i }), i + 2),
    );
    const canaries = new Canaries(stage.memory);
    let packets = 0;
    for (const [i, part] of parts.entries()) {
      if (part[0] === BLOCK) {
        engine.setBlocked(PUBLISHER, part[1] ?? 0, part[2] === 1);
        plain.setBlocked(PUBLISHER, part[1] ?? 0, part[2] === 1);
      }
      if (part[0] !== PACKET) continue;
      packets++;
      const packet = part.subarray(1);
      const now = i * 10 + (i & 1) / 2;
      canaries.litter(packet.length, i & 1 ? 0xff : 0);
      const verdict = engine.receive(-1, stage.video, packet, now);
      assert.equal(verdict, plain.receive(plainUp, packet, now), `the verdict of part ${i}`);
      verdicts.add(verdict);
      if (verdict !== layout.FORWARD) continue;
      for (const [which, down] of downs.entries()) {
        const plainDown = plainDowns[which];
        if (!plainDown) continue;
        const translated = engine.translate(down, now);
        assert.equal(translated, plain.translate(plainDown, now), `subscriber ${which}'s verdict of part ${i}`);
        verdicts.add(translated);
        if (translated !== layout.FORWARD || engine.packet.equals(plain.packet)) continue;
        assert.equal(engine.packet.toString('hex'), plain.packet.toString('hex'), `subscriber ${which}, part ${i}`);
      }
    }
    canaries.check();
    assert.equal(readCounters(stage.memory).received, packets);
    return packets;
  },
});
