import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, PUBLISHER, Stage, SUBSCRIBER, upParameters, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { type ReportBlock, readReportBlocks, readRtcp, receiverReport, senderReport, words } from '../support/rtcp.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

const AUDIO_SSRC = 0xaaaa0001;
const SDES = Buffer.from(`01056a616e757300`, 'hex');

/** RFC 3550 A.1, A.3 and A.8 as their text has them, for packets that arrive within the limits of A.1. */
class PlainReception {
  readonly clockRate: number;
  base = -1;
  highest = -1;
  received = 0;
  expectedPrior = 0;
  receivedPrior = 0;
  transit = 0;
  jitter = 0;

  constructor(clockRate: number) {
    this.clockRate = clockRate;
  }

  arrive(extended: number, timestamp: number, now: number): void {
    const transit = (Math.trunc((now * this.clockRate) / 1000) - timestamp) | 0;
    if (this.base < 0) this.base = extended;
    else this.jitter += Math.abs((transit - this.transit) | 0) - ((this.jitter + 8) >> 4);
    this.transit = transit;
    this.highest = Math.max(this.highest, extended);
    this.received++;
  }

  report(): Pick<ReportBlock, 'fraction' | 'lost' | 'highest' | 'jitter'> {
    const expected = this.highest - this.base + 1;
    const expectedInterval = expected - this.expectedPrior;
    const lostInterval = expectedInterval - (this.received - this.receivedPrior);
    this.expectedPrior = expected;
    this.receivedPrior = this.received;
    return {
      fraction: expectedInterval === 0 || lostInterval <= 0 ? 0 : Math.trunc((lostInterval * 256) / expectedInterval),
      lost: expected - this.received,
      highest: this.highest >>> 0,
      jitter: this.jitter >> 4,
    };
  }
}

function only<T>(values: T[]): T {
  assert.equal(values.length, 1);
  const [value] = values;
  if (value === undefined) throw new Error('nothing there');
  return value;
}

function reportOf(stage: Stage, bitrate: number, now: number) {
  const packet = stage.engine.receiverReport(stage.audio, stage.video, bitrate, now);
  assert.ok(packet);
  return readRtcp(packet);
}

describe('a receiver report', () => {
  test('agrees with RFC 3550 A.3 and A.8 under loss, reordering, duplicates, jitter and rollovers', async () => {
    for (const [payloadType, clockRate, start] of [
      [AUDIO_PT, 48000, 65000],
      [VIDEO_PT, 90000, 0],
    ] as const) {
      const stage = await Stage.open();
      const plain = new PlainReception(clockRate);
      const random = new Random(clockRate);
      const arrive = (sequence: number, now: number) => {
        const timestamp = (sequence * 20 * clockRate) / 1000 + 4e9;
        stage.receive(rtp({ payloadType, sequence, timestamp }), now);
        plain.arrive(sequence, timestamp >>> 0, now);
      };
      for (let i = 0; i < 3000; i++) {
        const now = i * 20 + random.below(30) + 0.125;
        if (!random.once(12)) arrive(start + i, now);
        if (i > 20 && random.once(15)) arrive(start + i - random.below(20), now);
        if (i % 50 !== 49) continue;
        const [report] = reportOf(stage, 0, now);
        assert.ok(report);
        const { fraction, lost, highest, jitter } = only(readReportBlocks(report));
        assert.deepEqual({ fraction, lost, highest, jitter }, plain.report());
      }
    }
  });

  test('has a block per kind received, SDES, and LSR and DLSR of the publisher’s last report', async () => {
    const stage = await Stage.open();
    assert.equal(stage.engine.receiverReport(stage.audio, stage.video, 1e6, 1), null);
    stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 3, ssrc: 11 }), 1000);
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 70, ssrc: 12 }), 1000);
    const sr = senderReport({ ssrc: 12, ntp: [0x11112222, 0x33334444], timestamp: 0 });
    assert.equal(stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 2000), layout.PUBLISHER_VIDEO_REPORT);
    const [report, sdes, ...rest] = reportOf(stage, 0, 2500);
    assert.ok(report && sdes);
    assert.deepEqual([report.type, sdes.type, rest.length], [201, 202, 0]);
    assert.equal(report.body.readUInt32BE(0), layout.REPORTER_SSRC);
    assert.ok(sdes.body.equals(Buffer.concat([words(layout.REPORTER_SSRC), SDES])));
    assert.deepEqual(
      readReportBlocks(report).map(({ ssrc, highest, lastReport, delay }) => [ssrc, highest, lastReport, delay]),
      [
        [11, 3, 0, 0],
        [12, 70, 0x22223333, 0x8000],
      ],
    );
  });

  test('starts anew with another source', async () => {
    const stage = await Stage.open();
    for (const sequence of [1, 2, 5]) stage.receive(rtp({ payloadType: AUDIO_PT, sequence, ssrc: 1 }), 1);
    stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 900, ssrc: 2 }), 1000);
    const { ssrc, lost, fraction, highest } = only(
      reportOf(stage, 0, 1001)
        .slice(0, 1)
        .flatMap((one) => readReportBlocks(one)),
    );
    assert.deepEqual({ ssrc, lost, fraction, highest }, { ssrc: 2, lost: 0, fraction: 0, highest: 900 });
    assert.equal(stage.engine.takeLostUp(stage.audio), 2);
  });

  test('says no more than a 24-bit number of lost packets can', async () => {
    const stage = await Stage.open();
    for (let i = 0; i < 3000; i++) stage.receive(rtp({ payloadType: AUDIO_PT, sequence: (i * 2999) & 0xffff }), i);
    const [report] = reportOf(stage, 0, 5000);
    assert.ok(report);
    assert.equal(only(readReportBlocks(report)).lost, 0x7fffff);
    assert.equal(only(readReportBlocks(report)).fraction, 255);
  });

  test('carries the estimate for video as REMB: mantissa of 18 bits, exponent of 6 (draft-alvestrand-rmcat-remb)', async () => {
    const stage = await Stage.open();
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1, ssrc: 0xcafe }), 1);
    for (const bitrate of [1, 1000, 262143, 262144, 2_500_000, 123_456_789, 4_294_967_295]) {
      const remb = reportOf(stage, bitrate, 2)[2];
      assert.ok(remb);
      assert.deepEqual([remb.type, remb.subtype, remb.body.length], [206, 15, 20]);
      assert.deepEqual([remb.body.readUInt32BE(0), remb.body.readUInt32BE(4)], [layout.REPORTER_SSRC, 0]);
      assert.equal(remb.body.toString('latin1', 8, 12), 'REMB');
      assert.equal(remb.body.readUInt8(12), 1);
      const bits = remb.body.readUIntBE(13, 3);
      const told = (bits & 0x3ffff) * 2 ** (bits >> 18);
      assert.ok(told <= bitrate && told > bitrate * (1 - 2 ** -17), `${told} of ${bitrate}`);
      assert.equal(remb.body.readUInt32BE(16), 0xcafe);
    }
    for (const none of [0, -1, Number.NaN]) assert.equal(reportOf(stage, none, 3).length, 2);
  });

  test('leaves out what is not negotiated any more, and goes on when it is again', async () => {
    const stage = await Stage.open();
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1 }), 1);
    stage.engine.configureUpTrack(stage.video, null);
    assert.equal(stage.engine.receiverReport(stage.audio, stage.video, 1e6, 2), null);
    assert.equal(stage.engine.keyframeRequest(stage.video, 'pli'), null);
    stage.engine.configureUpTrack(stage.video, upParameters('vp8'));
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 3 }), 3);
    const [report] = reportOf(stage, 1e6, 4);
    assert.ok(report);
    assert.equal(only(readReportBlocks(report)).lost, 1);
  });

  test('carries no estimate while only audio comes', async () => {
    const stage = await Stage.open();
    stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 1 }), 1);
    assert.equal(reportOf(stage, 1e6, 2).length, 2);
  });
});

describe('a sender report', () => {
  const sr = senderReport({ ssrc: 1000, ntp: [1000, 0x80000000], timestamp: 5000 });

  test('carries the publisher’s clock on to the moment, in the subscriber’s timestamps, with what was sent', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const send = (sequence: number, ssrc: number, now: number) =>
      stage.relayed(
        rtp({ payloadType: AUDIO_PT, sequence, ssrc, timestamp: sequence, payload: Buffer.alloc(50), padding: 7 }),
        down,
        now,
      );
    const { timestamp } = send(10, 5, 0);
    send(11, 5, 20);
    const after = send(40, 1000, 1020);
    assert.equal(after.timestamp, timestamp + 1 + 48000);
    assert.equal(stage.engine.senderReport(down, 1020), null, 'no report on this source yet');
    assert.equal(stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 2000), layout.PUBLISHER_AUDIO_REPORT);
    const packet = stage.engine.senderReport(down, 2250);
    assert.ok(packet);
    const [report, sdes] = readRtcp(packet);
    assert.ok(report && sdes);
    assert.deepEqual([report.type, report.subtype, sdes.type], [200, 0, 202]);
    const fields = [0, 4, 8, 12, 16, 20].map((at) => report.body.readUInt32BE(at));
    const mapped = 5000 + 250 * 48 + (after.timestamp - 40);
    assert.deepEqual(fields, [AUDIO_SSRC, 1000, 0xc0000000, mapped, 3, 150]);
    assert.ok(sdes.body.equals(Buffer.concat([words(AUDIO_SSRC), SDES])));
  });

  test('is not made before anything was sent, through a block, or for a track that waits', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    const picture = (sequence: number) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence, payload: KEYFRAME.vp8 });
    assert.equal(stage.engine.senderReport(down, 1), null);
    stage.relayed(picture(1), down, 1);
    stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 2);
    assert.ok(stage.engine.senderReport(down, 3));
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, true);
    assert.equal(stage.engine.senderReport(down, 3), null);
    stage.relay(picture(2), down, 4);
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, false);
    assert.equal(stage.engine.senderReport(down, 3), null, 'it waits for a keyframe');
    stage.relayed(picture(3), down, 5);
    assert.ok(stage.engine.senderReport(down, 6));
    stage.engine.restartUpTrack(stage.video);
    stage.relayed(picture(50), down, 7);
    assert.equal(stage.engine.senderReport(down, 8), null, 'the report was the former source’s');
  });

  test('gives the round-trip time when the subscriber reports on it, by our clock alone', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: 1 }), down, 1);
    stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 2);
    const middle = (packet: Buffer | null) =>
      packet ? ((packet.readUInt32BE(8) << 16) | (packet.readUInt32BE(12) >>> 16)) >>> 0 : 0;
    const first = middle(stage.engine.senderReport(down, 1000));
    const second = middle(stage.engine.senderReport(down, 2000));
    const hear = (lastReport: number, delay: number, now: number) => {
      const report = receiverReport(9, { ssrc: AUDIO_SSRC, lastReport, delay });
      assert.equal(stage.engine.readSubscriberRtcp(down, -1, report, now), layout.SUBSCRIBER_REPORT);
      return stage.engine.roundTripTime(down);
    };
    assert.equal(hear(0, 0, 2010), 0);
    assert.equal(hear(12345, 0, 2010), 0, 'no report of ours');
    assert.equal(hear(second, 0x8000, 2540), 40);
    assert.equal(hear(first, 0x10000, 2075), 75, 'the one before');
    assert.equal(hear(second, 0xffffffff, 2600), 75, 'nonsense changes nothing');
    assert.ok(hear(second, 0x8000, 2500) > 0, 'none at all is not unknown');
  });
});
