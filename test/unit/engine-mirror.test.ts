import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FORWARD, STATISTIC_SSRC } from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import type { Codec, HeaderExtensions } from '../../workers/protocol.js';
import { AUDIO_PT, PUBLISHER, RTX_PT, Stage, SUBSCRIBER, upParameters, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { nack, receiverReport, senderReport } from '../support/rtcp.js';
import { DELTA, element, KEYFRAME, type RtpView, readRtp, rtp } from '../support/rtp.js';

const UP: HeaderExtensions = {
  mid: 1,
  audioLevel: 2,
  absSendTime: 3,
  transportCc: 4,
  videoOrientation: 5,
  playoutDelay: 6,
};
const DOWN: HeaderExtensions = { audioLevel: 7, absSendTime: 8, videoOrientation: 9, playoutDelay: 10 };

/** Puts the packet that the home has admitted into the mirror. @returns its verdict; null: there was none to put */
function carry(home: Stage, mirror: Stage, now: number): number | null {
  const up = home.engine.admittedTrack;
  const packet = home.engine.exportPacket(up, now);
  if (!packet) return null;
  const { exportedEpoch, exportedSequence, admittedKeyframe } = home.engine;
  const copy = Buffer.from(packet);
  return mirror.engine.receiveMirrored(
    up === home.video ? mirror.video : mirror.audio,
    copy,
    exportedEpoch,
    exportedSequence,
    admittedKeyframe,
    now,
  );
}

/** What a subscriber gets of the packet that was admitted last, its extensions in any order; a number: why it gets none. */
function sentTo(stage: Stage, down: number, now: number): number | RtpView {
  const verdict = stage.engine.translate(down, now);
  if (verdict !== FORWARD) return verdict;
  const view = readRtp(Buffer.from(stage.engine.packet));
  return { ...view, elements: view.elements.toSorted((a, b) => a.id - b.id) };
}

/** A publisher's packets as a bad line brings them: late, twice, lost, sent again, of another SSRC, from another number on. */
class Line {
  readonly #random: Random;
  readonly #codec: Exclude<Codec, 'opus'>;
  readonly #held: Buffer[] = [];
  #sequence = 65_400;
  #ssrc = 11;
  #rtx = 0;

  constructor(random: Random, codec: Exclude<Codec, 'opus'>) {
    this.#random = random;
    this.#codec = codec;
  }

  next(): Buffer {
    const random = this.#random;
    if (this.#held.length > 0 && random.once(6))
      return this.#held.splice(random.below(this.#held.length), 1)[0] as Buffer;
    if (random.once(300)) this.#ssrc += 1;
    if (random.once(300)) this.#sequence += 10_000;
    this.#sequence += 1;
    const keyframe = random.once(20);
    const audio = random.once(4);
    const packet = rtp({
      payloadType: audio ? AUDIO_PT : VIDEO_PT,
      sequence: this.#sequence & 0xffff,
      timestamp: Math.floor(this.#sequence / 3) * 3000,
      ssrc: audio ? 1 : this.#ssrc,
      marker: random.once(3),
      ...(random.once(3) ? {} : { elements: this.#elements(), form: random.once(4) ? 'two-byte' : 'one-byte' }),
      payload: Buffer.concat([keyframe ? KEYFRAME[this.#codec] : DELTA[this.#codec], random.bytes(random.below(40))]),
    });
    if (!random.once(8)) return packet;
    // It comes later, in the retransmission stream or as it was, or never.
    if (!audio && random.once(2)) this.#held.push(this.#wrapped(packet));
    else if (!random.once(3)) this.#held.push(packet);
    return this.next();
  }

  #elements() {
    const random = this.#random;
    const all = [
      element(1, 0x61),
      element(2, 0x80 | random.below(128)),
      element(3, ...random.bytes(3)),
      element(4, ...random.bytes(2)),
      element(5, random.below(4)),
      element(6, ...random.bytes(3)),
      element(12, ...random.bytes(5)),
    ];
    return all.filter(() => random.once(2));
  }

  /** RFC 4588: the original sequence number before the payload. */
  #wrapped(packet: Buffer): Buffer {
    const extension = (packet.readUInt8(0) & 0x10) !== 0 ? 4 + packet.readUInt16BE(14) * 4 : 0;
    const header = Buffer.from(packet.subarray(0, 12 + extension));
    header[1] = ((header[1] ?? 0) & 0x80) | RTX_PT;
    header.writeUInt16BE(++this.#rtx & 0xffff, 2);
    header.writeUInt32BE(999, 8);
    return Buffer.concat([header, packet.subarray(2, 4), packet.subarray(12 + extension)]);
  }
}

describe('a mirror', () => {
  for (const codec of ['vp8', 'h264'] as const) {
    for (const seed of [1, 2, 3]) {
      test(`gives its subscriber the very packets that one of the home gets, ${codec}, seed ${seed}`, async () => {
        const random = new Random(seed);
        const [home, mirror] = [await Stage.open(codec, UP), await Stage.open(codec, UP)];
        const line = new Line(random, codec);
        const downs = [home, mirror].map((stage) => [
          stage.subscribe('video', { extensions: DOWN }),
          stage.subscribe('audio', { extensions: DOWN }),
        ]) as [[number, number], [number, number]];
        let carried = 0;
        for (let now = 1000; now < 6000; now++) {
          if (home.receive(line.next(), now) !== FORWARD) continue;
          assert.equal(carry(home, mirror, now), FORWARD);
          carried++;
          const video = home.engine.admittedTrack === home.video ? 0 : 1;
          assert.equal(mirror.engine.admittedTrack === mirror.video ? 0 : 1, video);
          assert.equal(mirror.engine.admittedKeyframe, home.engine.admittedKeyframe);
          assert.equal(mirror.engine.admittedLate, home.engine.admittedLate);
          assert.equal(mirror.engine.feedbackDue, 0, 'nothing is asked of the publisher by the mirror');
          assert.deepEqual(sentTo(mirror, downs[1][video], now), sentTo(home, downs[0][video], now));
          // A block in between, or none: both start anew with the same packet.
          if (random.once(200)) {
            for (const stage of [home, mirror]) stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, true);
            if (random.once(2))
              for (const stage of [home, mirror]) stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, false);
          }
        }
        assert.ok(carried > 3000, `${carried} packets`);
        const { keyframes, packetsRecovered } = readCounters(home.memory);
        assert.ok(keyframes > 50 && packetsRecovered > 50, `${keyframes} keyframes, ${packetsRecovered} recovered`);
        const counters = readCounters(mirror.memory);
        assert.deepEqual([counters.packetsMirrored, counters.received, counters.admitted], [carried, 0, 0]);
      });
    }
  }

  test('that comes late starts a subscriber with the keyframe that came since, out of its own history', async () => {
    const [home, mirror] = [await Stage.open('vp8'), await Stage.open('vp8')];
    const video = (sequence: number, payload = DELTA.vp8) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, payload });
    for (let sequence = 1; sequence < 50; sequence++) home.receive(video(sequence, KEYFRAME.vp8), sequence);
    for (let sequence = 50; sequence < 70; sequence++) {
      home.receive(video(sequence, sequence === 60 ? KEYFRAME.vp8 : DELTA.vp8), sequence);
      carry(home, mirror, sequence);
    }
    assert.equal(mirror.engine.beginReplay(mirror.subscribe('video'), 600, 70), 10);
  });

  test('answers what its subscriber lost out of its own history', async () => {
    const [home, mirror] = [await Stage.open('vp8'), await Stage.open('vp8')];
    const down = mirror.subscribe('video');
    const sent: Buffer[] = [];
    for (let sequence = 1; sequence < 20; sequence++) {
      const payload = sequence === 1 ? KEYFRAME.vp8 : DELTA.vp8;
      home.receive(rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, payload }), sequence);
      carry(home, mirror, sequence);
      assert.equal(mirror.engine.translate(down, sequence), FORWARD);
      sent.push(Buffer.from(mirror.engine.packet));
    }
    const lost = sent[9];
    assert.ok(lost);
    const asked = Buffer.concat([receiverReport(1), nack(0xbbbb0001, [lost.readUInt16BE(2), 0])]);
    mirror.engine.readSubscriberRtcp(-1, down, asked, 200);
    assert.equal(mirror.engine.retransmissions, 1);
    assert.deepEqual(mirror.engine.retransmission(0, 200), lost);
  });

  test('has its publisher’s clock from a report that came before the mirror was there', async () => {
    const [home, mirror] = [await Stage.open('vp8'), await Stage.open('vp8')];
    const packet = (sequence: number) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, ssrc: 77, payload: KEYFRAME.vp8 });
    assert.equal(home.engine.exportReport(home.video), null, 'nothing came yet');
    home.receive(packet(1), 1000);
    home.engine.readPublisherRtcp(
      home.audio,
      home.video,
      senderReport({ ssrc: 77, ntp: [5, 0], timestamp: 3000 }),
      1010,
    );
    home.receive(packet(2), 1500);
    carry(home, mirror, 1500);
    assert.equal(mirror.engine.upTrackStatistic(mirror.video, STATISTIC_SSRC), 77);
    const last = home.engine.exportReport(home.video);
    assert.equal(last?.at, 1010);
    mirror.engine.readPublisherRtcp(mirror.audio, mirror.video, Buffer.from(last.report), last.at);
    const downs = [home.subscribe('video'), mirror.subscribe('video')];
    const reports = [home, mirror].map((stage, index) => {
      const down = downs[index] ?? -1;
      if (stage === home) home.receive(packet(3), 1600);
      else carry(home, mirror, 1600);
      stage.engine.translate(down, 1600);
      return stage.engine.senderReport(down, 1700)?.toString('hex');
    });
    assert.ok(reports[0]);
    assert.equal(reports[1], reports[0]);
  });

  test('gives nothing while its publisher has not joined, or has no such track, and takes no packet that is none', async () => {
    const [home, mirror] = [await Stage.open('vp8'), await Stage.open('vp8')];
    const packet = rtp({ payloadType: VIDEO_PT, sequence: 1, timestamp: 1, payload: KEYFRAME.vp8 });
    home.receive(packet, 1);
    mirror.engine.setUpTrackUser(mirror.video, 0);
    assert.notEqual(carry(home, mirror, 1), FORWARD);
    mirror.engine.setUpTrackUser(mirror.video, PUBLISHER);
    mirror.engine.configureUpTrack(mirror.video, null);
    home.receive(rtp({ payloadType: VIDEO_PT, sequence: 2, timestamp: 2, payload: KEYFRAME.vp8 }), 2);
    assert.notEqual(carry(home, mirror, 2), FORWARD);
    mirror.engine.configureUpTrack(mirror.video, upParameters('vp8'));
    assert.notEqual(mirror.engine.receiveMirrored(mirror.video, packet.subarray(0, 5), 1, 70_000, true, 3), FORWARD);
    assert.notEqual(mirror.engine.receiveMirrored(1023, packet, 1, 70_000, true, 3), FORWARD);
    assert.equal(mirror.engine.receiveMirrored(mirror.video, packet, 1, 70_000, true, 3), FORWARD);
  });
});
