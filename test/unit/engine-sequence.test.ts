import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

const audio = (sequence: number, ssrc = 1000) =>
  rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960, ssrc });

describe('sequence numbers', () => {
  test('M6: go on over the rollover, 70,000 packets in order and no gap counted', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const start = 64000;
    let expected: number | null = null;
    for (let i = 0; i < 70000; i++) {
      const view = stage.relayed(audio(start + i), down, i * 20);
      if (expected !== null) assert.equal(view.sequence, expected);
      assert.equal(view.timestamp, ((start + i) * 960) >>> 0);
      expected = (view.sequence + 1) & 0xffff;
    }
    assert.equal(stage.engine.takeLostUp(stage.audio), 0);
  });

  test('start in the lower quarter of the range, so that no receiver guesses SRTP’s rollover counter wrong', async () => {
    const stage = await Stage.open();
    for (let ssrc = 1; ssrc < 2000; ssrc += 7) {
      const down = stage.subscribe('audio', { ssrc });
      const { sequence } = stage.relayed(audio(64000 + ssrc), down, ssrc);
      assert.ok(sequence > 0 && sequence <= 16384, String(sequence));
      stage.engine.removeDownTrack(down);
    }
  });

  test('of late packets keep their place, once', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const first = stage.relayed(audio(65534), down, 0).sequence;
    const step = (sequence: number) => {
      const view = stage.relay(audio(sequence), down, 1);
      return typeof view === 'number' ? -view : (view.sequence - first) & 0xffff;
    };
    assert.deepEqual([1, 0, 65535, 2, 65535, 1].map(step), [
      3,
      2,
      1,
      4,
      -layout.DROP_DUPLICATE,
      -layout.DROP_DUPLICATE,
    ]);
  });

  test('from before the subscriber’s first packet are not sent', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    stage.relayed(audio(100), down, 0);
    assert.equal(stage.relay(audio(99), down, 1), layout.DROP_LATE);
    stage.relayed(audio(101), down, 2);
  });

  test('older than the history are late, not new', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    for (let sequence = 0; sequence < 300; sequence++) stage.relayed(audio(sequence), down, sequence);
    assert.equal(stage.receive(audio(300 - layout.HISTORY_AUDIO - 1), 300), layout.DROP_LATE);
    assert.equal(stage.receive(audio(300 - layout.HISTORY_AUDIO), 300), layout.DROP_DUPLICATE);
  });

  test('leave the publisher’s gaps open, for the NACKs of the subscriber', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const { sequence } = stage.relayed(audio(10), down, 0);
    assert.equal(stage.relayed(audio(13), down, 1).sequence, sequence + 3);
    assert.equal(stage.engine.takeLostUp(stage.audio), 2);
    assert.equal(stage.engine.takeLostUp(stage.audio), 0);
    stage.relayed(audio(12), down, 2);
    stage.relayed(audio(15), down, 3);
    assert.equal(stage.engine.takeLostUp(stage.audio), 0, 'one came late, one more is missing');
  });

  test('that jump are a restart of the source when the next packet confirms it (RFC 3550 A.1)', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const { sequence, timestamp } = stage.relayed(audio(10), down, 0);
    assert.equal(stage.relay(audio(20000), down, 20), layout.DROP_SEQUENCE_JUMP);
    assert.equal(stage.relayed(audio(11), down, 20).sequence, sequence + 1);
    assert.equal(stage.relay(audio(20001), down, 40), layout.DROP_SEQUENCE_JUMP, 'not in a row');
    const after = stage.relayed(audio(20002), down, 60);
    assert.equal(after.sequence, sequence + 2);
    assert.equal(after.timestamp, timestamp + 960 + 40 * 48);
  });

  test('are the same stretch up to 2,999 ahead and 512 behind, and a jump beyond', async () => {
    const verdictOf = async (step: number) => {
      const stage = await Stage.open();
      const picture = (sequence: number) => rtp({ payloadType: VIDEO_PT, sequence: sequence & 0xffff });
      stage.receive(picture(100), 1);
      return stage.receive(picture(100 + step), 2);
    };
    assert.equal(await verdictOf(layout.MAX_DROPOUT - 1), layout.FORWARD);
    assert.equal(await verdictOf(layout.MAX_DROPOUT), layout.DROP_SEQUENCE_JUMP);
    assert.equal(await verdictOf(-layout.MAX_MISORDER + 1), layout.FORWARD);
    assert.equal(await verdictOf(-layout.MAX_MISORDER), layout.DROP_LATE);
    assert.equal(await verdictOf(-layout.MAX_MISORDER - 1), layout.DROP_SEQUENCE_JUMP);
  });

  test('of the wire are extended as a plain reading of A.1 does, in any order within its limits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 65535 }),
        fc.array(fc.integer({ min: -60, max: 200 }), { minLength: 1, maxLength: 120 }),
        async (start, steps) => {
          const stage = await Stage.open();
          const down = stage.subscribe('video');
          const seen = new Set<number>();
          let position = start;
          let highest = start;
          let offset: number | null = null;
          for (const step of steps) {
            position = highest + step;
            const packet = rtp({
              payloadType: VIDEO_PT,
              sequence: position & 0xffff,
              timestamp: position * 3000,
              payload: KEYFRAME.vp8,
            });
            const first = offset === null;
            const view = stage.relay(packet, down, 1);
            if (first) {
              assert.notEqual(typeof view, 'number');
              start = position;
            }
            if (typeof view === 'number') {
              const reason = seen.has(position) ? layout.DROP_DUPLICATE : layout.DROP_LATE;
              assert.equal(view, reason);
              if (reason === layout.DROP_LATE)
                assert.ok(position < start || position <= highest - layout.HISTORY_VIDEO);
            } else {
              offset ??= view.sequence - position;
              assert.equal(view.sequence, (position + offset) & 0xffff);
            }
            seen.add(position);
            highest = first ? position : Math.max(highest, position);
          }
        },
      ),
      { seed: 3550, numRuns: 60 },
    );
  });
});
