import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCounters } from '../../workers/memory.js';
import { newShedding, shed } from '../../workers/shedding.js';
import { SimulatedCall } from '../support/simulated-call.js';

const TICK = 50;
const LIMIT = 200;

/** Ticks for so long, each so late; returns the share at the end, and the changes on the way. */
function run(state: ReturnType<typeof newShedding>, from: number, seconds: number, late: number, limit = LIMIT) {
  const shares: number[] = [];
  const end = from + seconds * 1000;
  let now = from;
  for (; now < end; now += TICK + late) if (shed(state, late, limit, now)) shares.push(state.share);
  return { shares, now };
}

describe('a shard', () => {
  test('that is in time, or late once, leaves nothing out', () => {
    const state = newShedding();
    const { now } = run(state, 0, 60, 20);
    assert.equal(shed(state, 1000, LIMIT, now), false);
    assert.deepEqual(run(state, now + TICK, 10, 5).shares, []);
  });

  test('that stays late leaves out more and more video, but never all of it', () => {
    const { shares } = run(newShedding(), 0, 20, 400);
    assert.ok(shares.length >= 6, String(shares));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
    assert.equal(shares.at(-1), 0.9);
  });

  test('that is in time again gives it back, more slowly than it took it', () => {
    const state = newShedding();
    const { now } = run(state, 0, 5, 400);
    const taken = state.share;
    assert.ok(taken > 0.3);
    const { shares } = run(state, now, 60, 5);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
    );
    assert.equal(state.share, 0);
    assert.ok(shares.length > taken / 0.15);
  });

  test('whose limit is 0 never leaves anything out, and gives back what it left out', () => {
    const state = newShedding();
    assert.deepEqual(run(state, 0, 20, 2000, 0).shares, []);
    const { now } = run(state, 20_000, 5, 400);
    assert.ok(state.share > 0);
    run(state, now, 60, 400, 0);
    assert.equal(state.share, 0);
  });
});

describe('video that is left out', () => {
  test('is that of some, the same ones all the time; audio goes on, and a keyframe brings it back without a gap', async () => {
    const call = await SimulatedCall.open();
    const seats = Array.from({ length: 20 }, () => call.subscribe());
    call.publisher.start();
    call.clock.run(2000);
    const count = (kind: 'audio' | 'video') => seats.map(({ peer }) => peer[kind].packets.size);
    const gained = (kind: 'audio' | 'video', before: number[]) => count(kind).map((now, i) => now - (before[i] ?? 0));

    call.stage.engine.setShedding(0.5);
    const before = { audio: count('audio'), video: count('video') };
    call.clock.run(2000);
    const video = gained('video', before.video);
    const without = video.filter((packets) => packets === 0).length;
    assert.ok(without >= 6 && without <= 14, `${without} of 20 get no video`);
    assert.ok(
      video.every((packets) => packets === 0 || packets > 300),
      'all of it, or nothing',
    );
    assert.ok(gained('audio', before.audio).every((packets) => packets >= 99));
    assert.ok(readCounters(call.stage.memory).droppedShed > 1000);
    const asked = call.publisher.keyframeRequests;

    call.clock.run(1000);
    assert.equal(call.publisher.keyframeRequests, asked, 'nobody asks for a keyframe that would not be sent');
    call.stage.engine.setShedding(0);
    const after = count('video');
    call.clock.run(2000);
    assert.ok(
      gained('video', after).every((packets) => packets > 200),
      'everybody has a picture again',
    );
    for (const { peer } of seats) {
      const sequences = [...peer.video.packets.values()].map(({ sequence }) => sequence);
      assert.ok(sequences.every((sequence, i) => i === 0 || sequence === (sequences[i - 1] ?? 0) + 1));
    }
  });
});
