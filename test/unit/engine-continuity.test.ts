import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, downParameters, PUBLISHER, Stage, SUBSCRIBER, upParameters, VIDEO_PT } from '../support/engine.js';
import { DELTA, KEYFRAME, type RtpFields, type RtpView, rtp } from '../support/rtp.js';

const audio = (sequence: number, fields: Partial<RtpFields> = {}) =>
  rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960, ...fields });
const video = (sequence: number, payload: Buffer, fields: Partial<RtpFields> = {}) =>
  rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, payload, ...fields });

function assertFollows(next: RtpView, former: RtpView, timestampStep: number): void {
  assert.equal(next.sequence, (former.sequence + 1) & 0xffff);
  assert.equal(next.timestamp, (former.timestamp + timestampStep) >>> 0);
}

describe('a subscriber’s stream', () => {
  test('has the SSRC and payload type that the subscriber was told, and everything else of the packet', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio', { ssrc: 0xfeedbeef, payloadType: 63 });
    const packet = audio(1, { marker: true, csrcs: [1, 2], payload: Buffer.from('sound'), padding: 4 });
    const view = stage.relayed(packet, down, 1);
    assert.deepEqual(
      [view.ssrc, view.payloadType, view.marker, view.csrcs, view.padded, view.rest.toString('latin1')],
      [0xfeedbeef, 63, true, [1, 2], true, 'sound\0\0\0\x04'],
    );
    assert.equal(stage.relayed(audio(2), down, 2).marker, false);
  });

  test('has no gap in its sequence numbers after a block, and time has gone on', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const before = stage.relayed(audio(10), down, 0);
    stage.engine.setBlocked(SUBSCRIBER, PUBLISHER, true);
    for (let i = 11; i < 40; i++) assert.equal(stage.relay(audio(i), down, i), layout.DROP_BLOCKED);
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, false);
    const after = stage.relayed(audio(40), down, 40);
    assertFollows(after, before, 30 * 960);
    assertFollows(stage.relayed(audio(41), down, 41), after, 960);
    assert.equal(stage.relay(audio(39), down, 42), layout.DROP_DUPLICATE);
  });

  test('is not restarted by a packet that was late all through a block', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    stage.relayed(audio(10), down, 0);
    const before = stage.relayed(audio(12), down, 0);
    stage.engine.setBlocked(SUBSCRIBER, PUBLISHER, true);
    stage.relay(audio(13), down, 1);
    stage.engine.setBlocked(SUBSCRIBER, PUBLISHER, false);
    assert.equal(stage.relay(audio(11), down, 2), layout.DROP_LATE);
    assertFollows(stage.relayed(audio(14), down, 3), before, 2 * 960);
  });

  test('goes on without a gap when video comes back from a block, and from its keyframe on', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    stage.relayed(video(1, KEYFRAME.vp8), down, 0);
    const before = stage.relayed(video(2, DELTA.vp8), down, 33);
    stage.engine.setBlocked(SUBSCRIBER, PUBLISHER, true);
    assert.equal(stage.relay(video(3, KEYFRAME.vp8), down, 66), layout.DROP_BLOCKED);
    stage.engine.setBlocked(SUBSCRIBER, PUBLISHER, false);
    assert.equal(stage.relay(video(4, DELTA.vp8), down, 99), layout.DROP_WAITING_FOR_KEYFRAME);
    const after = stage.relayed(video(5, KEYFRAME.vp8), down, 132);
    assertFollows(after, before, 3 * 3000);
    assert.equal(stage.relay(video(4, DELTA.vp8), down, 133), layout.DROP_DUPLICATE);
    assertFollows(stage.relayed(video(6, DELTA.vp8), down, 165), after, 3000);
  });

  test('goes on over another SSRC of the publisher, its timestamp by the time that passed', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const before = stage.relayed(audio(10), down, 1000);
    const after = stage.relayed(audio(60000, { ssrc: 5, timestamp: 77 }), down, 1500);
    assertFollows(after, before, 500 * 48);
    assertFollows(stage.relayed(audio(60001, { ssrc: 5, timestamp: 77 + 960 }), down, 1520), after, 960);
  });

  test('goes on over a new PeerConnection of the publisher, also when no time passed', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    const before = stage.relayed(video(10, KEYFRAME.vp8), down, 1000);
    stage.engine.restartUpTrack(stage.video);
    assert.equal(stage.relay(video(500, DELTA.vp8), down, 1000), layout.DROP_WAITING_FOR_KEYFRAME);
    const after = stage.relayed(video(501, KEYFRAME.vp8, { timestamp: 5 }), down, 1000);
    assertFollows(after, before, 1);
    assert.equal(stage.relay(video(500, DELTA.vp8), down, 1001), layout.DROP_DUPLICATE);
  });

  test('goes on over another codec of the publisher, and waits for its keyframe', async () => {
    const stage = await Stage.open('vp8');
    const down = stage.subscribe('video');
    const before = stage.relayed(video(10, KEYFRAME.vp8), down, 0);
    stage.engine.configureUpTrack(stage.video, { ...upParameters('h264'), payloadType: 102 });
    stage.engine.configureDownTrack(down, downParameters('video', { payloadType: 107 }));
    assert.equal(stage.relay(video(11, DELTA.vp8), down, 33), layout.DROP_UNKNOWN_PAYLOAD_TYPE);
    const delta = video(11, DELTA.h264, { payloadType: 102 });
    assert.equal(stage.relay(delta, down, 33), layout.DROP_WAITING_FOR_KEYFRAME);
    const after = stage.relayed(video(12, KEYFRAME.h264, { payloadType: 102 }), down, 100);
    assertFollows(after, before, 100 * 90);
    assert.equal(after.payloadType, 107);
  });

  test('goes on over another payload type of the same codec without waiting', async () => {
    const stage = await Stage.open('vp8');
    const down = stage.subscribe('video');
    const before = stage.relayed(video(10, KEYFRAME.vp8), down, 0);
    stage.engine.configureUpTrack(stage.video, { ...upParameters('vp8'), payloadType: 98 });
    stage.engine.configureDownTrack(down, downParameters('video', { payloadType: 99 }));
    const after = stage.relayed(video(11, DELTA.vp8, { payloadType: 98 }), down, 33);
    assertFollows(after, before, 3000);
    assert.equal(after.payloadType, 99);
  });

  test('is the same for the one who was blocked and the one who was not, but for the packets left out', async () => {
    const stage = await Stage.open();
    const one = stage.subscribe('audio');
    const two = stage.subscribe('audio', { ssrc: 9 }, 3);
    stage.relayed(audio(1), one, 1);
    stage.engine.translate(two, 1);
    stage.engine.setBlocked(PUBLISHER, 3, true);
    const first = stage.relayed(audio(2), one, 2);
    assert.equal(stage.engine.translate(two, 2), layout.DROP_BLOCKED);
    assertFollows(stage.relayed(audio(3), one, 3), first, 960);
  });

  test('is silent until it is active, and gets nothing once removed', async () => {
    const stage = await Stage.open();
    const down = stage.engine.addDownTrack(stage.audio, downParameters('audio'), SUBSCRIBER);
    assert.equal(stage.relay(audio(1), down, 1), layout.DROP_INACTIVE);
    stage.engine.setDownTrackActive(down, true);
    const before = stage.relayed(audio(2), down, 2);
    stage.engine.setDownTrackActive(down, false);
    assert.equal(stage.relay(audio(3), down, 3), layout.DROP_INACTIVE);
    stage.engine.setDownTrackActive(down, true);
    assertFollows(stage.relayed(audio(4), down, 4), before, 2 * 960);
    stage.engine.removeDownTrack(down);
    assert.equal(stage.relay(audio(5), down, 5), layout.DROP_NOT_SUBSCRIBED);
  });

  test('never repeats or leaves out a number, whatever the order of blocks, restarts and new SSRCs', async () => {
    const event = fc.constantFrom(
      'packet',
      'packet',
      'packet',
      'block',
      'unblock',
      'restart',
      'ssrc',
      'pause',
      'resume',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 80 }), async (events) => {
        const stage = await Stage.open();
        const down = stage.subscribe('audio');
        let last: RtpView | null = null;
        let sequence = 65500;
        let ssrc = 1;
        let now = 0;
        for (const one of events) {
          now += 20;
          if (one === 'block' || one === 'unblock') stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, one === 'block');
          if (one === 'restart') stage.engine.restartUpTrack(stage.audio);
          if (one === 'pause' || one === 'resume') stage.engine.setDownTrackActive(down, one === 'resume');
          if (one === 'ssrc') {
            ssrc++;
            sequence += 7777;
            now += layout.SOURCE_SILENCE_MS;
          }
          const view = stage.relay(audio(++sequence, { ssrc, timestamp: now * 48 + ssrc * 1e6 }), down, now);
          if (typeof view === 'number') continue;
          if (last) {
            assert.equal(view.sequence, (last.sequence + 1) & 0xffff);
            const step = (view.timestamp - last.timestamp) | 0;
            assert.ok(step > 0 && step <= now * 48, String(step));
          }
          last = view;
        }
      }),
      { seed: 2326, numRuns: 150 },
    );
  });
});
