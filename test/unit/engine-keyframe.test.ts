import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { PUBLISHER, Stage, SUBSCRIBER, VIDEO_PT } from '../support/engine.js';
import { DELTA, KEYFRAME, rtp } from '../support/rtp.js';

type VideoCodec = keyof typeof KEYFRAME;

/** Whether a subscriber who waits can start with a packet of that payload. */
async function starts(codec: VideoCodec, hex: string): Promise<boolean> {
  const stage = await Stage.open(codec);
  const down = stage.subscribe('video');
  const payload = Buffer.from(hex, 'hex');
  const view = stage.relay(rtp({ payloadType: VIDEO_PT, sequence: 1, payload }), down, 1);
  assert.equal(stage.engine.admittedKeyframe, typeof view !== 'number');
  if (typeof view === 'number') assert.equal(view, layout.DROP_WAITING_FOR_KEYFRAME);
  return typeof view !== 'number';
}

const cases: Record<VideoCodec, { what: string; hex: string; start: boolean }[]> = {
  h264: [
    { what: 'a single IDR slice', hex: '6588', start: true },
    { what: 'a single sequence parameter set', hex: '6742', start: true },
    { what: 'a single non-IDR slice', hex: '419a', start: false },
    { what: 'a picture parameter set alone', hex: '68ce', start: false },
    { what: 'an access unit delimiter', hex: '09f0', start: false },
    { what: 'a STAP-A of parameter sets', hex: '180003674200000268ce', start: true },
    { what: 'a STAP-A with an IDR slice behind other units', hex: '18000209f000026588', start: true },
    { what: 'a STAP-A of other units', hex: '18000209f00002419a', start: false },
    { what: 'a STAP-A whose first size runs over its end', hex: '18ffff0967', start: false },
    { what: 'a STAP-A cut after a size', hex: '180002', start: false },
    { what: 'the first fragment of an IDR slice', hex: '7c8588', start: true },
    { what: 'a middle fragment of an IDR slice', hex: '7c0588', start: false },
    { what: 'the last fragment of an IDR slice', hex: '7c4588', start: false },
    { what: 'the first fragment of a non-IDR slice', hex: '7c819a', start: false },
    { what: 'a FU-A of one byte', hex: '7c', start: false },
    { what: 'no payload at all', hex: '', start: false },
  ],
  vp8: [
    { what: 'a key frame’s first packet', hex: '1000', start: true },
    { what: 'an inter frame', hex: '1001', start: false },
    { what: 'a later packet of partition 0', hex: '0000', start: false },
    { what: 'the start of partition 1', hex: '1100', start: false },
    { what: 'a short picture id', hex: '90800500', start: true },
    { what: 'a long picture id', hex: '9080850500', start: true },
    { what: 'a long picture id before an inter frame', hex: '9080850501', start: false },
    { what: 'picture id, TL0PICIDX, TID and KEYIDX', hex: '90f08505010200', start: true },
    { what: 'a key index alone', hex: '90100200', start: true },
    { what: 'a descriptor without a frame header', hex: '9080', start: false },
    { what: 'a long picture id cut short', hex: '908085', start: false },
    { what: 'one byte', hex: '10', start: false },
  ],
  vp9: [
    { what: 'a key frame’s first packet', hex: '0800', start: true },
    { what: 'a predicted picture', hex: '4800', start: false },
    { what: 'a later packet of a key frame', hex: '0000', start: false },
    { what: 'a picture id', hex: '880500', start: true },
    { what: 'a long picture id', hex: '88850500', start: true },
    { what: 'the lowest spatial layer', hex: 'a8850520', start: true },
    { what: 'an upper spatial layer', hex: 'a8850502', start: false },
    { what: 'layers without a picture id', hex: '280000', start: true },
    { what: 'a descriptor cut before its layers', hex: 'a88505', start: false },
    { what: 'one byte', hex: '08', start: false },
  ],
  av1: [
    { what: 'a new coded video sequence', hex: '180a0b', start: true },
    { what: 'another temporal unit', hex: '1032', start: false },
    { what: 'the rest of a fragment', hex: '980a', start: false },
    { what: 'one byte', hex: '18', start: false },
  ],
};

describe('a keyframe', () => {
  for (const codec of ['h264', 'vp8', 'vp9', 'av1'] as const) {
    for (const { what, hex, start } of cases[codec]) {
      test(`${start ? 'starts' : 'does not start'} in ${codec} with ${what}`, async () => {
        assert.equal(await starts(codec, hex), start);
      });
    }
  }

  test('is not read from the padding behind a payload', async () => {
    for (const codec of ['h264', 'vp8', 'vp9', 'av1'] as const) {
      for (const { what, hex } of cases[codec]) {
        for (let length = 0; length < hex.length / 2; length++) {
          const cut = hex.slice(0, length * 2);
          const padding = Buffer.concat([Buffer.from(hex.slice(length * 2), 'hex'), Buffer.from([0x85, 0, 0])]);
          const count = Buffer.from([padding.length + 1]);
          const stage = await Stage.open(codec);
          const payload = Buffer.concat([Buffer.from(cut, 'hex'), padding, count]);
          const packet = rtp({ payloadType: VIDEO_PT, sequence: 1, payload });
          packet[0] = 0xa0;
          assert.equal(stage.receive(packet, 1), layout.FORWARD);
          assert.equal(stage.engine.admittedKeyframe, await starts(codec, cut), `${codec}: ${what}, cut to ${length}`);
        }
      }
    }
  });

  test('starts once per frame: not with the slices after its parameter sets', async () => {
    const stage = await Stage.open('h264');
    const early = stage.subscribe('video');
    const packet = (sequence: number, timestamp: number, hex: string) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp, payload: Buffer.from(hex, 'hex') });
    stage.relayed(packet(1, 90, '6742'), early, 1);
    const late = stage.subscribe('video', { ssrc: 5 });
    assert.equal(stage.relay(packet(2, 90, '6588'), late, 1), layout.DROP_WAITING_FOR_KEYFRAME);
    assert.equal(stage.engine.translate(early, 1), layout.FORWARD);
    assert.equal(
      stage.relay(packet(3, 180, '6588'), late, 2),
      layout.DROP_WAITING_FOR_KEYFRAME,
      'its sets are missing',
    );
    stage.relayed(packet(4, 270, '1800026742000268ce'), late, 3);
  });

  test('whose first packet was dropped as the first of a new SSRC is not one to start with', async () => {
    const stage = await Stage.open('h264');
    const down = stage.subscribe('video');
    const packet = (ssrc: number, sequence: number, timestamp: number, payload: Buffer) =>
      stage.relay(rtp({ payloadType: VIDEO_PT, ssrc, sequence, timestamp, payload }), down, 1);
    packet(1, 1, 90, KEYFRAME.h264);
    const idr = Buffer.from('7c8588', 'hex');
    assert.equal(packet(2, 1, 5000, KEYFRAME.h264), layout.DROP_UNKNOWN_SSRC);
    assert.equal(packet(2, 2, 5000, idr), layout.DROP_WAITING_FOR_KEYFRAME);
    assert.notEqual(typeof packet(2, 3, 8000, KEYFRAME.h264), 'number');
  });

  test('is waited for by those who are active, not blocked, and have none of this source', async () => {
    const stage = await Stage.open('vp8');
    const { engine } = stage;
    const waiting = () => engine.waitingForKeyframe(stage.video);
    assert.equal(waiting(), 0);
    const one = stage.subscribe('video');
    const two = stage.subscribe('video', { ssrc: 2 }, 3);
    assert.equal(waiting(), 2);
    engine.setBlocked(PUBLISHER, 3, true);
    assert.equal(waiting(), 1);
    engine.setDownTrackActive(one, false);
    assert.equal(waiting(), 0);
    engine.setDownTrackActive(one, true);
    const packet = (sequence: number, payload: Buffer, ssrc = 1) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, payload, ssrc });
    stage.relayed(packet(1, KEYFRAME.vp8), one, 1);
    assert.equal(engine.translate(two, 1), layout.DROP_BLOCKED);
    assert.equal(waiting(), 0);
    engine.setBlocked(PUBLISHER, 3, false);
    assert.equal(waiting(), 1);
    stage.receive(packet(9, DELTA.vp8, 7), 300);
    assert.equal(waiting(), 2, 'another SSRC: nobody can go on');
    engine.removeDownTrack(two);
    assert.equal(waiting(), 1);
    assert.equal(engine.waitingForKeyframe(-1), 0);
    assert.equal(engine.waitingForKeyframe(stage.audio), 0);
  });

  test('is never waited for by audio', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio', {}, SUBSCRIBER);
    stage.relayed(rtp({ payloadType: 111, sequence: 5 }), down, 1);
    assert.equal(stage.engine.admittedKeyframe, false);
  });
});
