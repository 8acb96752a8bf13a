import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { AUDIO_PT, downParameters, Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

describe('the track tables', () => {
  test('are full at 1,024 up tracks, counted, until one is removed', async () => {
    const { engine, memory } = await Stage.open();
    const indices = new Set<number>();
    for (let i = 2; i < layout.UP_TRACKS_MAX; i++) indices.add(engine.addUpTrack('audio'));
    assert.equal(indices.size, layout.UP_TRACKS_MAX - 2);
    assert.equal(engine.addUpTrack('audio'), -1);
    assert.equal(readCounters(memory).trackTableFull, 1);
    engine.removeUpTrack(500);
    engine.removeUpTrack(501);
    assert.deepEqual(
      [engine.addUpTrack('video'), engine.addUpTrack('video'), engine.addUpTrack('video')],
      [501, 500, -1],
    );
  });

  test('are full at 16,384 down tracks, counted, until one is removed', async () => {
    const { engine, audio, memory } = await Stage.open();
    for (let i = 0; i < layout.DOWN_TRACKS_MAX; i++)
      assert.equal(engine.addDownTrack(audio, downParameters('audio'), 1), i);
    assert.equal(engine.addDownTrack(audio, downParameters('audio'), 1), -1);
    assert.equal(readCounters(memory).trackTableFull, 1);
    engine.removeDownTrack(7);
    assert.equal(engine.addDownTrack(audio, downParameters('audio'), 1), 7);
    engine.removeUpTrack(audio);
    for (let i = 0; i < layout.DOWN_TRACKS_MAX; i++) engine.removeDownTrack(i);
    assert.equal(readCounters(memory).downTracks, 0);
  });

  test('say so when a track does not exist: that is our own mistake', async () => {
    const { engine } = await Stage.open();
    for (const track of [-1, 2, 1024, 1e9]) {
      assert.throws(() => engine.configureUpTrack(track, upParameters('opus')), /no up track/);
      assert.throws(() => engine.configureUpTrack(track, null), /no up track/);
      assert.throws(() => engine.setUpTrackUser(track, 1), /no up track/);
      assert.throws(() => engine.restartUpTrack(track), /no up track/);
      assert.throws(() => engine.removeUpTrack(track), /no up track/);
      assert.throws(() => engine.configureDownTrack(track, downParameters('audio')), /no down track/);
      assert.throws(() => engine.setDownTrackActive(track, true), /no down track/);
      assert.throws(() => engine.removeDownTrack(track), /no down track/);
      assert.equal(engine.addDownTrack(track, downParameters('audio'), 1), -1);
    }
  });

  test('hand a removed track’s index to a new one that has nothing of it', async () => {
    const stage = await Stage.open();
    const { engine } = stage;
    const old = stage.subscribe('audio');
    const before = stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: 5, timestamp: 99 }), old, 1);
    engine.removeUpTrack(stage.audio);
    const up = engine.addUpTrack('audio');
    assert.equal(up, stage.audio);
    engine.configureUpTrack(up, upParameters('opus'));
    engine.setUpTrackUser(up, 9);
    assert.equal(engine.lastPacketAt(up), 0);
    assert.equal(
      stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 5, timestamp: 99 }), 2),
      layout.FORWARD,
      'no duplicate',
    );
    assert.equal(engine.translate(old, 2), layout.DROP_NOT_SUBSCRIBED, 'a subscriber of the former track');
    engine.removeDownTrack(old);
    const fresh = stage.subscribe('audio');
    assert.equal(fresh, old);
    assert.equal(engine.roundTripTime(fresh), 0);
    const view = stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: 6, timestamp: 7 }), fresh, 3);
    assert.deepEqual([view.sequence, view.timestamp], [before.sequence, 7]);
  });

  test('keep each subscriber on its own list however they come and go', async () => {
    const { engine, video } = await Stage.open();
    const downs: number[] = [];
    for (let i = 0; i < 20; i++) {
      const down = engine.addDownTrack(video, downParameters('video'), 2);
      engine.setDownTrackActive(down, true);
      downs.push(down);
    }
    for (const [removed, i] of [0, 19, 10, 9, 11, 1].entries()) {
      engine.removeDownTrack(downs[i] ?? -1);
      assert.equal(engine.waitingForKeyframe(video), 19 - removed);
    }
  });
});

describe('the packet slots', () => {
  test('are as many as the histories hold, come back when a track ends, and are used again', async () => {
    const stage = await Stage.open();
    const slots = () => {
      const { packetSlots, packetSlotsFree } = readCounters(stage.memory);
      return [packetSlots, packetSlotsFree];
    };
    assert.deepEqual(slots(), [1, 0], 'the inbox alone');
    const fill = () => {
      for (let i = 0; i < 2000; i++) {
        stage.receive(rtp({ payloadType: AUDIO_PT, sequence: i }), i);
        stage.receive(rtp({ payloadType: VIDEO_PT, sequence: i, payload: KEYFRAME.vp8 }), i);
      }
    };
    fill();
    const all = 1 + layout.HISTORY_AUDIO + layout.HISTORY_VIDEO;
    assert.deepEqual(slots(), [all, 0]);
    stage.engine.removeUpTrack(stage.video);
    assert.deepEqual(slots(), [all, layout.HISTORY_VIDEO]);
    assert.equal(stage.engine.addUpTrack('video'), stage.video);
    stage.engine.configureUpTrack(stage.video, upParameters('vp8'));
    stage.engine.setUpTrackUser(stage.video, 1);
    stage.engine.restartUpTrack(stage.audio);
    fill();
    assert.deepEqual(slots(), [all, 0]);
  });

  test('outlive the growth of the memory: packets go through on both sides of it', async () => {
    const stage = await Stage.open();
    const { engine, memory } = stage;
    const start = memory.buffer.byteLength;
    const ups = [stage.video];
    for (let i = 0; i < 9; i++) {
      const up = engine.addUpTrack('video');
      engine.configureUpTrack(up, upParameters('vp8'));
      engine.setUpTrackUser(up, 1);
      ups.push(up);
    }
    const downs = ups.map((up, i) => {
      const down = engine.addDownTrack(up, downParameters('video', { ssrc: 10 + i }), 2);
      engine.setDownTrackActive(down, true);
      return down;
    });
    for (let sequence = 0; sequence < 600; sequence++) {
      for (const [i, up] of ups.entries()) {
        const payload = Buffer.concat([KEYFRAME.vp8, Buffer.alloc(1100, sequence ^ i)]);
        assert.equal(
          engine.receive(-1, up, rtp({ payloadType: VIDEO_PT, sequence, payload }), sequence),
          layout.FORWARD,
        );
        assert.equal(engine.translate(downs[i] ?? -1, sequence), layout.FORWARD);
        const { packet } = engine;
        assert.equal(packet.readUInt32BE(8), 10 + i);
        assert.ok(packet.subarray(12).equals(payload));
      }
    }
    assert.ok(memory.buffer.byteLength > start, 'the memory grew');
    assert.equal(readCounters(memory).forwarded, 6000);
  });
});
