import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { AUDIO_PT, RTX_PT, Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { readRtcp } from '../support/rtcp.js';
import { DELTA, element, KEYFRAME, type RtpFields, readRtp, rtp } from '../support/rtp.js';

const SSRC = 0xcafe0001;
const RTX_SSRC = 0xcafe0002;

const video = (sequence: number, fields: Partial<RtpFields> = {}) =>
  rtp({
    payloadType: VIDEO_PT,
    sequence,
    timestamp: sequence * 3000,
    ssrc: SSRC,
    payload: Buffer.concat([DELTA.vp8, Buffer.from([(sequence >> 8) & 255, sequence & 255])]),
    ...fields,
  });

/** The same packet in a retransmission stream (RFC 4588 section 4). */
const again = (sequence: number, fields: Partial<RtpFields> = {}) => {
  const { payload = Buffer.concat([DELTA.vp8, Buffer.from([(sequence >> 8) & 255, sequence & 255])]) } = fields;
  const original = Buffer.from([(sequence >> 8) & 255, sequence & 255]);
  return video(sequence, {
    ...fields,
    payloadType: RTX_PT,
    ssrc: RTX_SSRC,
    sequence: 7,
    timestamp: sequence * 3000,
    payload: Buffer.concat([original, payload]),
  });
};

/** The bytes of a request as it is sent, in hex; null: there is none. */
const request = (stage: Stage, now: number) => stage.engine.lossRequest(stage.video, now)?.toString('hex') ?? null;

/** The sequence numbers that are asked for now. */
function asked(stage: Stage, now: number): number[] {
  const bytes = stage.engine.lossRequest(stage.video, now);
  if (!bytes) return [];
  const packet = readRtcp(bytes)[2];
  assert.ok(packet);
  const wanted: number[] = [];
  for (let at = 8; at < packet.body.length; at += 4) {
    const first = packet.body.readUInt16BE(at);
    wanted.push(first);
    for (let bit = 0; bit < 16; bit++) {
      if ((packet.body.readUInt16BE(at + 2) >> bit) & 1) wanted.push((first + bit + 1) & 0xffff);
    }
  }
  return wanted;
}

async function after(...sequences: number[]): Promise<Stage> {
  const stage = await Stage.open('vp8');
  for (const sequence of sequences) assert.equal(stage.receive(video(sequence), 1000), layout.FORWARD);
  return stage;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('packets that a publisher’s network lost', () => {
  test('are asked for by their numbers: RR, SDES and the NACK, byte by byte', async () => {
    // 65534, 0, 1 and 14, then 40: two entries, the first with a mask over the rollover.
    const lost = new Set([65534, 65536, 65537, 65550, 65576]);
    const stage = await after(...range(65530, 65580).filter((sequence) => !lost.has(sequence)));
    assert.equal(
      request(stage, 1000),
      [
        '80c90001', // RR: version 2, no report blocks; type 201; 1 word follows
        '00000001', // of the relay
        '81ca0003', // SDES: one chunk; type 202; 3 words follow
        '00000001', // of the relay
        '01056a61', // CNAME, 5 bytes: ja
        '6e757300', // nus, end of the chunk
        '81cd0004', // generic NACK: format 1; type 205; 4 words follow
        '00000001', // from the relay
        'cafe0001', // about the publisher's source
        'fffe8006', // 65534, and of the 16 after it bits 1, 2 and 15: 0, 1 and 14
        '00280000', // 40
      ].join(''),
    );
  });

  test('are asked for once three packets have come after them, without waiting', async () => {
    const stage = await after(1, 2, 4);
    assert.equal(stage.engine.feedbackDue, 0);
    assert.deepEqual(asked(stage, 1001), []);
    stage.receive(video(5), 1001);
    stage.receive(video(6), 1002);
    assert.equal(stage.engine.feedbackDue, layout.FEEDBACK_LOSSES);
    assert.deepEqual(asked(stage, 1002), [3]);
    assert.deepEqual(asked(stage, 1003), [], 'once');
  });

  test('are asked for after 10 ms where nothing else comes', async () => {
    const stage = await after(1, 3);
    assert.deepEqual(asked(stage, 1009), []);
    assert.deepEqual(asked(stage, 1010), [2]);
  });

  test('are asked for later on a path that was seen to reorder, and sooner again when it no longer does', async () => {
    const stage = await after(1, 3);
    stage.receive(video(2), 1025);
    for (const sequence of [4, 6, 7, 8, 9]) stage.receive(video(sequence), 1030);
    assert.deepEqual(asked(stage, 1050), [], 'many have come after it, and yet it may only be late');
    assert.deepEqual(asked(stage, 1057), [5]);
    for (let sequence = 11; sequence < 1000; sequence += 2) {
      const now = 2000 + sequence * 50;
      stage.receive(video(sequence), now);
      asked(stage, now + 49);
      stage.receive(again(sequence - 1), now + 50);
    }
    stage.receive(video(1001), 1e6);
    assert.deepEqual(asked(stage, 1e6 + 11), [1000]);
  });

  test('are asked for again after the round trip that the first answer took, ten times at most', async () => {
    const stage = await after(1, 3);
    assert.deepEqual(asked(stage, 1010), [2]);
    assert.deepEqual(asked(stage, 1129), []);
    assert.deepEqual(asked(stage, 1130), [2], 'nothing is known of the way');
    stage.receive(video(5), 1200);
    assert.deepEqual(asked(stage, 1210), [4]);
    stage.receive(again(4), 1250);
    assert.equal(stage.engine.upTrackStatistic(stage.video, layout.STATISTIC_ROUND_TRIP_TIME), 40);
    const times: number[] = [];
    for (let now = 1250; now < 4000; now++) if (asked(stage, now).includes(2)) times.push(now);
    assert.equal(times[0], 1250);
    assert.ok(
      times.every((at, i) => i === 0 || at - (times[i - 1] ?? 0) === 60),
      String(times),
    );
    assert.equal(times.length, 8);
    assert.equal(stage.engine.upTrackStatistic(stage.video, layout.STATISTIC_NACKS), 11);
    assert.equal(readCounters(stage.memory).packetsGivenUp, 1);
  });

  test('are given up after 1.2 s, and the picture with them', async () => {
    const stage = await after(1, 3);
    let last = 0;
    for (let now = 1000; now < 4000; now += 10) {
      if (asked(stage, now).length > 0) last = now;
      if (stage.engine.pictureLost) assert.ok(now >= 2200 && now < 2400, String(now));
    }
    assert.ok(last < 2200);
    assert.equal(readCounters(stage.memory).packetsGivenUp, 1);
  });

  test('before the newest keyframe cost no picture', async () => {
    const stage = await after(1, 3);
    stage.receive(video(4, { payload: KEYFRAME.vp8 }), 1005);
    for (let now = 1010; now < 4000; now += 10) {
      asked(stage, now);
      assert.equal(stage.engine.pictureLost, false);
    }
    assert.equal(readCounters(stage.memory).packetsGivenUp, 1);
  });

  test('are 256 at most at one time, the newest, in one request that is no longer than a packet', async () => {
    const stage = await after(1);
    stage.receive(video(1000), 1000);
    assert.equal(stage.engine.pictureLost, false);
    const bytes = stage.engine.lossRequest(stage.video, 1020);
    assert.ok(bytes && bytes.length <= 1200);
    const wanted = readRtcp(bytes)[2]?.body;
    assert.equal(wanted?.readUInt16BE(8), 1000 - layout.MISSING_MAX);
    assert.equal(stage.engine.pictureLost, true);
    assert.equal(readCounters(stage.memory).packetsGivenUp, 998 - layout.MISSING_MAX);
  });

  test('that lie far apart make a request that is no longer than a packet either', async () => {
    const stage = await after(...range(0, 600).map((i) => 17 * i));
    const bytes = stage.engine.lossRequest(stage.video, 1020);
    assert.ok(bytes && bytes.length > 24 && bytes.length <= 1200, String(bytes?.length));
  });

  test('of audio are not asked for, nor what a former source lost', async () => {
    const stage = await Stage.open('vp8');
    for (const sequence of [1, 3, 4, 5, 6]) stage.receive(rtp({ payloadType: AUDIO_PT, sequence }), 1000);
    assert.equal(stage.engine.feedbackDue, 0);
    assert.equal(stage.engine.lossRequest(stage.audio, 1100), null);
    for (const sequence of [1, 3]) stage.receive(video(sequence), 1000);
    stage.engine.restartUpTrack(stage.video);
    assert.deepEqual(asked(stage, 1100), []);
    for (const sequence of [9, 11]) stage.receive(video(sequence), 1100);
    stage.receive(video(500, { ssrc: 8 }), 2000);
    assert.deepEqual(asked(stage, 2100), []);
    for (const track of [-1, 5, 1e9]) assert.equal(stage.engine.lossRequest(track, 1), null);
    for (const sequence of [501, 503]) stage.receive(video(sequence, { ssrc: 8 }), 2100);
    stage.engine.configureUpTrack(stage.video, null);
    assert.deepEqual(asked(stage, 2200), [], 'not negotiated any more');
  });

  test('reach subscribers in their place when they come, late or again', async () => {
    const stage = await Stage.open('vp8');
    const down = stage.subscribe('video');
    const first = stage.relayed(video(65534, { payload: KEYFRAME.vp8 }), down, 1000);
    stage.relayed(video(65538), down, 1001);
    const elements = [element(1, 9)];
    const late = [65535, 65536].map((sequence) => stage.relayed(video(sequence, { marker: true }), down, 1005));
    assert.deepEqual(asked(stage, 1011), [1]);
    const third = stage.relayed(again(65537, { marker: true, elements, padding: 4 }), down, 1050);
    for (const [i, view] of [...late, third].entries()) {
      assert.equal(view.sequence, (first.sequence + 1 + i) & 0xffff);
      assert.equal(view.timestamp, (first.timestamp + 3000 * (1 + i)) >>> 0);
      assert.deepEqual([view.marker, view.payloadType, view.ssrc], [true, 100, 0xbbbb0001]);
    }
    assert.equal(third.rest.toString('hex'), `${DELTA.vp8.toString('hex')}000100000004`);
    assert.equal(third.padded, true);
    assert.deepEqual(asked(stage, 2000), []);
    assert.equal(readCounters(stage.memory).packetsRecovered, 1);
  });

  test('are dropped when they come twice, whichever way', async () => {
    const stage = await after(1, 3);
    asked(stage, 1010);
    assert.equal(stage.receive(again(2), 1050), layout.FORWARD);
    assert.equal(stage.receive(again(2), 1051), layout.DROP_DUPLICATE);
    assert.equal(stage.receive(video(2), 1052), layout.DROP_DUPLICATE);
    assert.equal(stage.receive(again(3), 1053), layout.DROP_DUPLICATE, 'was never missing');
    assert.equal(stage.receive(again(40000), 1053), layout.DROP_DUPLICATE, 'is of no stretch that is known');
    assert.equal(stage.receive(video(4), 1054), layout.FORWARD);
  });

  test('are not taken from retransmissions that hold no packet, or before there is a source', async () => {
    const stage = await Stage.open('vp8');
    assert.equal(stage.receive(again(1), 999), layout.DROP_RTX);
    for (const sequence of [1, 3]) stage.receive(video(sequence), 1000);
    const empty = rtp({ payloadType: RTX_PT, sequence: 1, ssrc: RTX_SSRC, payload: Buffer.alloc(0), padding: 200 });
    assert.equal(stage.receive(empty, 1001), layout.DROP_RTX);
    assert.equal(
      stage.receive(rtp({ payloadType: RTX_PT, sequence: 2, payload: Buffer.alloc(1) }), 1),
      layout.DROP_RTX,
    );
    assert.equal(stage.receive(again(2, { payload: Buffer.alloc(0) }), 1002), layout.FORWARD, 'an empty packet is one');
    stage.engine.configureUpTrack(stage.video, { ...upParameters('vp8'), rtxPayloadType: null });
    assert.equal(stage.receive(again(2), 1003), layout.DROP_UNKNOWN_PAYLOAD_TYPE);
  });

  test('that came again are no jitter, and in RTX no packets of the stream (RFC 4588 section 6)', async () => {
    const stage = await Stage.open('vp8');
    const jitter = () => stage.engine.upTrackStatistic(stage.video, layout.STATISTIC_JITTER);
    for (const sequence of [1, 3]) stage.receive(video(sequence), 1000 + sequence * (3000 / 90));
    asked(stage, 1150);
    const before = jitter();
    assert.equal(stage.receive(video(2), 1250), layout.FORWARD);
    assert.equal(jitter(), before);
    assert.equal(stage.engine.takeLostUp(stage.video), 0);
    stage.receive(video(5), 1300);
    asked(stage, 1320);
    assert.equal(stage.receive(again(4), 1400), layout.FORWARD);
    assert.equal(stage.engine.takeLostUp(stage.video), 1, 'the network did lose it');
  });

  test('are found again by the NACK of a subscriber, as everything that was relayed', async () => {
    const stage = await Stage.open('vp8');
    const down = stage.subscribe('video');
    stage.relayed(video(1, { payload: KEYFRAME.vp8 }), down, 1000);
    stage.relayed(video(3), down, 1000);
    asked(stage, 1010);
    const view = stage.relayed(again(2), down, 1050);
    const wanted = Buffer.from('81cd000300000001bbbb000100000000', 'hex');
    wanted.writeUInt16BE(view.sequence, 12);
    stage.engine.readSubscriberRtcp(-1, down, wanted, 1060);
    assert.equal(stage.engine.retransmission(0, 1060), null, 'it was on its way when that was asked');
    stage.engine.readSubscriberRtcp(-1, down, wanted, 1100);
    const packet = stage.engine.retransmission(0, 1100);
    assert.deepEqual(packet && readRtp(packet), view);
  });
});
