import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, PUBLISHER, Stage, SUBSCRIBER, VIDEO_PT } from '../support/engine.js';
import { nack, pli, receiverReport } from '../support/rtcp.js';
import { DELTA, element, KEYFRAME, type RtpView, readRtp, rtp } from '../support/rtp.js';

const VIDEO_SSRC = 0xbbbb0001;
const AUDIO_SSRC = 0xaaaa0001;

const video = (sequence: number, payload = DELTA.vp8) =>
  rtp({
    payloadType: VIDEO_PT,
    sequence,
    timestamp: sequence * 3000,
    payload: Buffer.from([...payload, sequence & 255]),
  });

/** A stage that has sent `count` video packets to one subscriber, and what that got. */
async function sent(count: number, start = 65000): Promise<{ stage: Stage; down: number; views: RtpView[] }> {
  const stage = await Stage.open('vp8', { audioLevel: 1 });
  const down = stage.subscribe('video');
  const views = Array.from({ length: count }, (_, i) =>
    stage.relayed(video(start + i, i === 0 ? KEYFRAME.vp8 : DELTA.vp8), down, i),
  );
  return { stage, down, views };
}

function ask(stage: Stage, down: number, now: number, ...entries: [number, number][]): (RtpView | null)[] {
  const { engine } = stage;
  engine.readSubscriberRtcp(-1, down, nack(VIDEO_SSRC, ...entries), now);
  return Array.from({ length: engine.retransmissions }, (_, i) => {
    const packet = engine.retransmission(i, now);
    return packet && readRtp(packet);
  });
}

describe('a NACK', () => {
  test('is answered with the very packets that it names, as they were sent', async () => {
    const { stage, down, views } = await sent(100);
    const sequence = views[50]?.sequence ?? 0;
    const answers = ask(stage, down, 1000, [sequence, 0b1000_0000_0000_0101]);
    assert.deepEqual(answers, [views[50], views[51], views[53], views[66]]);
  });

  test('finds packets over the rollover of the publisher’s and the subscriber’s numbers', async () => {
    const { stage, down, views } = await sent(70000, 64000);
    const wrap = views.findIndex(({ sequence }) => sequence === 65535);
    assert.ok(wrap > 0);
    // By now the packets of the rollover are long gone; those of the history are all there.
    assert.deepEqual(ask(stage, down, 1e5, [views[wrap]?.sequence ?? 0, 0]), [null]);
    const last = views.slice(-layout.HISTORY_VIDEO);
    for (const view of last) assert.deepEqual(ask(stage, down, 1e6 + view.timestamp, [view.sequence, 0]), [view]);
    const older = views.at(-layout.HISTORY_VIDEO - 1);
    assert.deepEqual(ask(stage, down, 1e7, [older?.sequence ?? 0, 0]), [null]);
  });

  test('names what another sent meanwhile cannot spoil: each subscriber gets its own header', async () => {
    const stage = await Stage.open('vp8', { audioLevel: 1 });
    const one = stage.subscribe('audio', { extensions: { audioLevel: 4 } });
    const two = stage.subscribe('audio', { ssrc: 77, payloadType: 50 }, 3);
    const first = stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: 9, elements: [element(1, 0x42)] }), one, 1);
    stage.engine.translate(two, 1);
    stage.engine.readSubscriberRtcp(one, -1, nack(AUDIO_SSRC, [first.sequence, 0]), 100);
    const again = stage.engine.retransmission(0, 100);
    assert.deepEqual(again && readRtp(again), first);
  });

  test('of a packet that never came from the publisher is not answered until it comes', async () => {
    const { stage, down, views } = await sent(10);
    const last = views.at(-1)?.sequence ?? 0;
    stage.relayed(video(65000 + 11), down, 20);
    assert.deepEqual(ask(stage, down, 30, [last + 1, 0]), [null]);
    const late = stage.relayed(video(65000 + 10), down, 40);
    assert.deepEqual(ask(stage, down, 100, [last + 1, 0]), [late]);
  });

  test('of a packet that was sent again is not answered within 40 ms, then it is', async () => {
    const { stage, down, views } = await sent(10);
    const sequence = views[5]?.sequence ?? 0;
    assert.deepEqual(ask(stage, down, 100, [sequence, 0]), [views[5]]);
    assert.deepEqual(ask(stage, down, 139, [sequence, 0]), [null]);
    assert.deepEqual(ask(stage, down, 140, [sequence, 0]), [views[5]]);
  });

  test('finds what was sent before a block and after it, but nothing from within', async () => {
    const { stage, down, views } = await sent(10);
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, true);
    for (let i = 10; i < 20; i++) stage.relay(video(65000 + i), down, i);
    const [before] = views.slice(-1);
    assert.deepEqual(ask(stage, down, 50, [before?.sequence ?? 0, 0]), [], 'not through the block');
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, false);
    const after = [20, 21, 22].map((i) => stage.relayed(video(65000 + i, KEYFRAME.vp8), down, i));
    const asked = ask(stage, down, 500, [before?.sequence ?? 0, 0b111]);
    assert.deepEqual(asked, [before, ...after]);
  });

  test('finds nothing of the publisher’s former source', async () => {
    const { stage, down, views } = await sent(10);
    stage.engine.restartUpTrack(stage.video);
    assert.deepEqual(ask(stage, down, 50, [views[3]?.sequence ?? 0, 0]), [views[3]]);
    const after = stage.relayed(video(1, KEYFRAME.vp8), down, 60);
    assert.deepEqual(ask(stage, down, 500, [views[4]?.sequence ?? 0, 0]), [null]);
    assert.deepEqual(ask(stage, down, 500, [after.sequence, 0]), [after]);
  });

  test('finds nothing of the former source where the present one has the same numbers', async () => {
    const { stage, down, views } = await sent(10, 1000);
    stage.engine.restartUpTrack(stage.video);
    for (let i = 0; i < 10; i++) stage.relayed(video(1000 + i, i === 0 ? KEYFRAME.vp8 : DELTA.vp8), down, 50 + i);
    const asked = ask(stage, down, 500, [views[0]?.sequence ?? 0, 0x1ff]);
    assert.deepEqual(
      asked,
      Array.from({ length: 10 }, () => null),
    );
  });

  test('M5: asks for each packet once however often it names it, and for 256 at most', async () => {
    const { stage, down, views } = await sent(layout.HISTORY_VIDEO);
    const first = views[0]?.sequence ?? 0;
    const twice: [number, number][] = Array.from({ length: 300 }, () => [first, 0x0003]);
    const seen = stage.engine.readSubscriberRtcp(-1, down, nack(VIDEO_SSRC, ...twice), 1);
    assert.equal(seen, layout.SUBSCRIBER_NACK);
    assert.equal(stage.engine.retransmissions, 3);
    const all: [number, number][] = Array.from({ length: 300 }, (_, i) => [first + i * 17, 0xffff]);
    stage.engine.readSubscriberRtcp(-1, down, nack(VIDEO_SSRC, ...all), 1);
    assert.equal(stage.engine.retransmissions, layout.RETRANSMISSIONS_MAX);
    stage.engine.readSubscriberRtcp(-1, down, nack(VIDEO_SSRC, [first, 0]), 1);
    assert.equal(stage.engine.retransmissions, 1, 'what was asked before is forgotten');
    stage.engine.readSubscriberRtcp(-1, down, pli(VIDEO_SSRC), 1);
    assert.equal(stage.engine.retransmissions, 0);
  });

  test('cannot make the relay send more again than it has sent', async () => {
    const { stage, down, views } = await sent(50);
    let again = 0;
    for (let round = 0; round < 20; round++) {
      const now = 1000 + round * 100;
      again += ask(stage, down, now, ...views.map(({ sequence }): [number, number] => [sequence, 0])).filter(
        Boolean,
      ).length;
    }
    assert.equal(again, 50);
    const next = stage.relayed(video(65000 + 50), down, 9000);
    assert.deepEqual(ask(stage, down, 9001, [next.sequence, 0]), [next]);
  });

  test('of another SSRC, of numbers not sent yet, or through an inactive track asks for nothing', async () => {
    const { stage, down, views } = await sent(10);
    const last = views.at(-1)?.sequence ?? 0;
    assert.equal(stage.engine.readSubscriberRtcp(-1, down, nack(5, [last, 0]), 50), 0);
    assert.deepEqual(ask(stage, down, 50, [last + 1, 0]), [null]);
    assert.deepEqual(ask(stage, down, 50, [last + 40000, 0]), [null]);
    stage.engine.setDownTrackActive(down, false);
    assert.deepEqual(ask(stage, down, 50, [last, 0]), []);
  });

  test('tells audio from video by SSRC, with the same numbers in both', async () => {
    const stage = await Stage.open('vp8');
    const audioDown = stage.subscribe('audio');
    const videoDown = stage.subscribe('video');
    const audio = stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: 3 }), audioDown, 1);
    const picture = stage.relayed(video(3, KEYFRAME.vp8), videoDown, 1);
    const both = Buffer.concat([
      receiverReport(1),
      nack(AUDIO_SSRC, [audio.sequence, 0]),
      nack(VIDEO_SSRC, [picture.sequence, 0]),
      nack(VIDEO_SSRC, [audio.sequence, 0]),
    ]);
    stage.engine.readSubscriberRtcp(audioDown, videoDown, both, 50);
    assert.equal(stage.engine.retransmissions, 3);
    const answers = [0, 1, 2].map((i) => {
      const packet = stage.engine.retransmission(i, 50);
      return packet && readRtp(packet);
    });
    assert.deepEqual(answers, [audio, picture, null]);
    assert.equal(stage.engine.retransmission(3, 50), null);
    assert.equal(stage.engine.retransmission(-1, 50), null);
  });

  test('is answered in the retransmission stream where there is one (RFC 4588 section 4)', async () => {
    const stage = await Stage.open('vp8', { videoOrientation: 3 });
    const [rtxPayloadType, rtxSsrc] = [101, 0xcccc0001];
    const down = stage.subscribe('video', { rtxPayloadType, rtxSsrc, extensions: { videoOrientation: 7 } });
    const start = rtp({ payloadType: VIDEO_PT, sequence: 1, payload: KEYFRAME.vp8 });
    stage.relayed(start, down, 1);
    const fields = { marker: true, csrcs: [9], elements: [element(3, 1)], padding: 8 };
    const view = stage.relayed(rtp({ payloadType: VIDEO_PT, sequence: 2, ...fields }), down, 2);
    const [once] = ask(stage, down, 100, [view.sequence, 0]);
    const [twice] = ask(stage, down, 200, [view.sequence, 0]);
    assert.ok(once && twice);
    const original = Buffer.from([view.sequence >> 8, view.sequence & 255]);
    const { sequence } = once;
    assert.deepEqual(once, {
      ...view,
      payloadType: rtxPayloadType,
      ssrc: rtxSsrc,
      sequence,
      rest: Buffer.concat([original, view.rest]),
    });
    assert.deepEqual(twice, { ...once, sequence: (sequence + 1) & 0xffff });
    assert.ok(sequence > 0 && sequence <= 16384, 'SRTP’s rollover counter can’t be guessed wrong');
    assert.equal(stage.relayed(rtp({ payloadType: VIDEO_PT, sequence: 3 }), down, 300).ssrc, VIDEO_SSRC);
    const statistic = (which: number) => stage.engine.downTrackStatistic(down, which);
    assert.deepEqual([statistic(layout.STATISTIC_PACKETS), statistic(layout.STATISTIC_RETRANSMISSIONS)], [3, 2]);
  });

  test('is answered with the same packet where the stream has no room for it', async () => {
    const stage = await Stage.open('vp8');
    const down = stage.subscribe('video', { rtxPayloadType: 101, rtxSsrc: 5 });
    for (const [i, size] of [1486, 1487].entries()) {
      const payload = Buffer.concat([KEYFRAME.vp8, Buffer.alloc(size - 2, 7)]);
      const view = stage.relayed(rtp({ payloadType: VIDEO_PT, sequence: i, timestamp: i, payload }), down, i);
      const [answer] = ask(stage, down, 100 + i, [view.sequence, 0]);
      assert.equal(answer?.ssrc, i === 0 ? 5 : VIDEO_SSRC);
      assert.equal(answer?.rest.length, i === 0 ? size + 2 : size);
    }
  });
});
