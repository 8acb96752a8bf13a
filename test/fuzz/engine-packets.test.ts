import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { PlainDownTrack, PlainEngine, PlainUpTrack } from '../../bench/plain-engine.js';
import type { Codec, HeaderExtensions } from '../../workers/protocol.js';
import { downParameters, PUBLISHER, Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { DELTA, element, KEYFRAME, rtp } from '../support/rtp.js';

const UP: HeaderExtensions = {
  mid: 1,
  audioLevel: 2,
  absSendTime: 3,
  transportCc: 4,
  videoOrientation: 5,
  playoutDelay: 6,
};
const DOWNS: HeaderExtensions[] = [
  {},
  { audioLevel: 3, absSendTime: 2, videoOrientation: 14, playoutDelay: 9 },
  { absSendTime: 200, videoOrientation: 15 },
];

/** A publisher that browsers would not be: every part of the header, at random, mostly well-formed. */
function makePacket(random: Random, codec: keyof typeof KEYFRAME, sequence: number): Buffer {
  const ids = [1, 2, 3, 4, 5, 6, 7, 14];
  const lengths = [1, 1, 3, 2, 1, 3, 5, 4];
  const elements = Array.from({ length: random.below(6) }, () => {
    const i = random.below(ids.length);
    return element(ids[i] ?? 1, ...random.bytes((lengths[i] ?? 1) + (random.once(10) ? 1 : 0)));
  });
  return rtp({
    payloadType: random.once(40) ? random.below(128) : VIDEO_PT,
    sequence,
    timestamp: Math.floor(sequence / 3) * 3000,
    ssrc: random.once(25) ? 2 : 1,
    marker: random.once(3),
    csrcs: random.once(8) ? Array.from({ length: random.below(16) }, () => random.below(2 ** 32)) : [],
    ...(random.once(3) ? {} : { elements, form: random.once(4) ? 'two-byte' : 'one-byte' }),
    payload: Buffer.concat([random.once(6) ? KEYFRAME[codec] : DELTA[codec], random.bytes(random.below(60))]),
    padding: random.once(12) ? 1 + random.below(255) : 0,
  });
}

/** Bits flipped, bytes replaced, the end cut off or added to. */
function mutate(random: Random, packet: Buffer): Buffer {
  let mutant: Buffer = Buffer.from(packet);
  for (let i = random.below(4); i > 0; i--) {
    const at = random.once(2) ? random.below(Math.min(40, mutant.length)) : random.below(mutant.length);
    mutant[at] = random.once(2) ? random.below(256) : (mutant[at] ?? 0) ^ (1 << random.below(8));
  }
  if (random.once(3)) mutant = mutant.subarray(0, random.below(mutant.length + 1));
  if (random.once(6)) mutant = Buffer.concat([mutant, random.bytes(random.below(200))]);
  if (random.once(200)) mutant = random.bytes(random.below(2000));
  return mutant;
}

/** What one stage makes of a packet for all of its subscribers. */
function outcome(stage: Stage, downs: number[], packet: Buffer, now: number): string {
  const verdict = stage.receive(packet, now);
  if (verdict !== layout.FORWARD) return String(verdict);
  return downs
    .map((down) => {
      const translated = stage.engine.translate(down, now);
      return translated === layout.FORWARD ? stage.engine.packet.toString('hex') : translated;
    })
    .join(' ');
}

/** Fills the place of the next packet with a packet that is refused, so that its bytes lie behind a shorter one. */
function litter(stage: Stage, byte: number): void {
  assert.equal(stage.receive(Buffer.alloc(layout.PACKET_CAPACITY, byte), 0), layout.DROP_VERSION);
}

describe('the engine, given mutated RTP', () => {
  for (const codec of ['h264', 'vp8', 'vp9', 'av1'] as const) {
    test(`reads nothing past the end of 10,000 packets of ${codec}: what lies there changes nothing`, async () => {
      const random = new Random(0xe0d);
      const stages = [await Stage.open(codec, UP), await Stage.open(codec, UP)] as const;
      const downs = stages.map((stage) =>
        DOWNS.map((extensions, i) => stage.subscribe('video', { extensions }, i + 2)),
      );
      let forwarded = 0;
      for (let i = 0; i < 10000; i++) {
        const packet = mutate(random, makePacket(random, codec, i));
        const [one, other] = stages.map((stage, which) => {
          litter(stage, which === 0 ? 0x00 : 0xff);
          return outcome(stage, downs[which] ?? [], packet, i * 10);
        });
        assert.equal(one, other, packet.toString('hex'));
        if (one?.includes(' ')) forwarded++;
      }
      assert.ok(forwarded > 2000 && forwarded < 9000, String(forwarded));
    });

    test(`agrees with the plain TypeScript engine on 10,000 packets of ${codec}, every verdict and every byte`, async () => {
      const random = new Random(0xd1ff);
      const stage = await Stage.open(codec, UP);
      // The plain engine knows one track and no retransmission streams.
      stage.engine.configureUpTrack(stage.video, { ...upParameters(codec satisfies Codec, UP), rtxPayloadType: null });
      const plain = new PlainEngine();
      const plainUp = new PlainUpTrack(upParameters(codec satisfies Codec, UP), PUBLISHER);
      const downs = DOWNS.map((extensions, i) => stage.subscribe('video', { extensions, ssrc: 5 + i }, i + 2));
      const plainDowns = DOWNS.map(
        (extensions, i) => new PlainDownTrack(plainUp, downParameters('video', { extensions, ssrc: 5 + i }), i + 2),
      );
      const verdicts = new Set<number>();
      let sequence = 65000;
      for (let i = 0; i < 10000; i++) {
        sequence += random.once(300) ? 5000 : random.once(5) ? random.below(4) : 1;
        const late = random.once(10) ? random.below(random.once(5) ? 700 : 20) : 0;
        const packet = mutate(random, makePacket(random, codec, sequence - late));
        const now = i * 10 + (random.once(2) ? 0.5 : 0);
        if (random.once(50)) {
          const user = 2 + random.below(3);
          const blocked = random.once(2);
          stage.engine.setBlocked(PUBLISHER, user, blocked);
          plain.setBlocked(PUBLISHER, user, blocked);
        }
        const verdict = stage.engine.receive(-1, stage.video, packet, now);
        const plainVerdict = plain.receive(plainUp, packet, now);
        verdicts.add(verdict);
        assert.equal(verdict, plainVerdict, packet.toString('hex'));
        if (verdict !== layout.FORWARD) continue;
        for (const [which, down] of downs.entries()) {
          const plainDown = plainDowns[which];
          assert.ok(plainDown);
          const translated = stage.engine.translate(down, now);
          verdicts.add(translated);
          assert.equal(translated, plain.translate(plainDown, now));
          if (translated !== layout.FORWARD) continue;
          assert.equal(stage.engine.packet.toString('hex'), plain.packet.toString('hex'), packet.toString('hex'));
        }
      }
      assert.ok(verdicts.size >= 14, `only these verdicts came up: ${[...verdicts]}`);
    });
  }

  test('touches no other publisher’s tracks', async () => {
    const random = new Random(7);
    const stage = await Stage.open('vp8', UP);
    const { engine } = stage;
    const other = engine.addUpTrack('video');
    engine.configureUpTrack(other, upParameters('vp8', UP));
    engine.setUpTrackUser(other, 9);
    engine.receive(-1, other, rtp({ payloadType: VIDEO_PT, sequence: 1, payload: KEYFRAME.vp8 }), 1);
    const record = new Uint8Array(
      stage.memory.buffer,
      layout.UP_TRACKS_START + other * layout.UP_TRACK_SIZE,
      layout.UP_TRACK_SIZE,
    );
    const before = Buffer.from(record);
    const down = stage.subscribe('video');
    for (let i = 0; i < 5000; i++) outcome(stage, [down], mutate(random, makePacket(random, 'vp8', i)), i);
    assert.ok(before.equals(record));
  });
});
