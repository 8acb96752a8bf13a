import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { nack, pli, receiverReport } from '../support/rtcp.js';
import { rtp } from '../support/rtp.js';

const VIDEO_SSRC = 0xbbbb0001;

describe('the statistics of a track', () => {
  test('up: packets, bytes, losses, keyframe requests and the SSRC', async () => {
    const stage = await Stage.open();
    const read = (statistic: number) => stage.engine.upTrackStatistic(stage.audio, statistic);
    const all = () =>
      [
        layout.STATISTIC_PACKETS,
        layout.STATISTIC_OCTETS,
        layout.STATISTIC_LOST,
        layout.STATISTIC_SSRC,
        layout.STATISTIC_SOURCES,
      ].map(read);
    assert.deepEqual(all(), [0, 0, 0, 0, 0]);
    let bytes = 0;
    for (const sequence of [10, 11, 14]) {
      const packet = rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960, ssrc: 0xcafe });
      bytes += packet.length;
      stage.receive(packet, sequence * 20);
    }
    assert.deepEqual(all(), [3, bytes, 2, 0xcafe, 1]);
    const { engine, video } = stage;
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1, ssrc: 0xbeef }), 300);
    engine.keyframeRequest(video, 'pli');
    engine.keyframeRequest(video, 'fir');
    assert.equal(engine.upTrackStatistic(video, layout.STATISTIC_KEYFRAME_REQUESTS), 2);
  });

  test('up: jitter in milliseconds, as RFC 3550 A.8 counts it', async () => {
    const stage = await Stage.open();
    const packet = (sequence: number) =>
      rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960, ssrc: 0xcafe });
    stage.receive(packet(1), 20);
    assert.equal(stage.engine.upTrackStatistic(stage.audio, layout.STATISTIC_JITTER), 0);
    // 16 ms late: a sixteenth of that is the first estimate.
    stage.receive(packet(2), 56);
    assert.equal(stage.engine.upTrackStatistic(stage.audio, layout.STATISTIC_JITTER), 1);
  });

  test('down: what was sent, what the subscriber asked for and what it reported', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio', { ssrc: VIDEO_SSRC });
    const read = (statistic: number) => stage.engine.downTrackStatistic(down, statistic);
    assert.equal(read(layout.STATISTIC_ACTIVE), 1);
    assert.equal(read(layout.STATISTIC_SUSPENDED), 1);
    const sent = [1, 2, 3].map((sequence) =>
      stage.relayed(rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960 }), down, sequence * 20),
    );
    assert.equal(read(layout.STATISTIC_PACKETS), 3);
    assert.equal(read(layout.STATISTIC_SUSPENDED), 0);
    assert.equal(read(layout.STATISTIC_SSRC), VIDEO_SSRC);
    const asked = sent[2]?.sequence ?? 0;
    stage.engine.readSubscriberRtcp(down, -1, nack(VIDEO_SSRC, [asked, 0]), 100);
    assert.ok(stage.engine.retransmission(0, 100));
    stage.engine.readSubscriberRtcp(down, -1, nack(VIDEO_SSRC, [asked, 0]), 101);
    assert.equal(stage.engine.retransmission(0, 101), null);
    assert.equal(read(layout.STATISTIC_NACKS), 2);
    assert.equal(read(layout.STATISTIC_RETRANSMISSIONS), 1);
    stage.engine.readSubscriberRtcp(down, -1, receiverReport(1, { ssrc: VIDEO_SSRC, lost: 7, jitter: 96 }), 200);
    assert.equal(read(layout.STATISTIC_LOST), 7);
    assert.equal(read(layout.STATISTIC_JITTER), 2);
  });

  test('down: keyframe requests are counted where they are taken', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    stage.engine.readSubscriberRtcp(-1, down, pli(VIDEO_SSRC), 1);
    stage.engine.readSubscriberRtcp(-1, down, pli(77), 1);
    assert.equal(stage.engine.downTrackStatistic(down, layout.STATISTIC_KEYFRAME_REQUESTS), 1);
  });

  test('of no track, or of no known number, is 0', async () => {
    const { engine, audio } = await Stage.open();
    for (const track of [-1, 5, 1e9]) {
      for (let statistic = -1; statistic < 20; statistic += 1) {
        assert.equal(engine.upTrackStatistic(track, statistic), 0);
        assert.equal(engine.downTrackStatistic(track, statistic), 0);
      }
    }
    assert.equal(engine.upTrackStatistic(audio, 1000), 0);
  });
});
