import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCounters } from '../../workers/engine.js';
import type { LinkConditions } from '../support/network.js';
import { type Seat, SimulatedCall, type SubscribeOptions } from '../support/simulated-call.js';

const DELAY = 30;
const CAMERA = 2_000_000;
const CLEAN: LinkConditions = { delay: DELAY };

async function open(): Promise<SimulatedCall> {
  const call = await SimulatedCall.open({ camera: CAMERA, rtx: true, uplink: CLEAN, uplinkBack: CLEAN });
  call.publisher.start();
  return call;
}

function subscribe(call: SimulatedCall, downlink: LinkConditions, options: SubscribeOptions = {}): Seat {
  const estimates = call.publisher;
  return call.subscribe({ downlink, downlinkBack: CLEAN, estimates, rtxSsrc: 9001, roundTrip: 120, ...options });
}

/** The share of the publisher's packets of a kind, sent in a time, that a subscriber has. */
function share(call: SimulatedCall, { peer }: Seat, kind: 'audio' | 'video', from: number, to: number): number {
  const arrived = new Set([...peer[kind].packets.values()].map(({ number }) => number));
  const sent = call.publisher[kind].sentAt.flatMap((at, number) => (at >= from && at < to ? [number] : []));
  return sent.filter((number) => arrived.has(number)).length / sent.length;
}

describe('lines that carry less than a camera sends', () => {
  test('a clean line is no limit: the publisher climbs to what its camera has', async () => {
    const call = await open();
    subscribe(call, CLEAN);
    call.clock.run(20_000);
    assert.equal(Math.round(call.publisher.rate), CAMERA);
    assert.ok(call.publisher.allowed > CAMERA);
  });

  for (const rate of [1_000_000, 500_000]) {
    test(`a subscriber alone on a line of ${rate / 1000} kbit/s gets video that fits, and all of the sound`, async () => {
      const call = await open();
      const seat = subscribe(call, { ...CLEAN, rate });
      call.clock.run(10_000);
      const from = call.clock.now;
      const bits = seat.downlink.bytesSent * 8;
      call.clock.run(40_000);
      const used = (seat.downlink.bytesSent * 8 - bits) / 40;
      assert.ok(used > 0.6 * rate && used < rate, `${Math.round(used)} bit/s`);
      const heard = share(call, seat, 'audio', from, call.clock.now - 1000);
      const seen = share(call, seat, 'video', from, call.clock.now - 1000);
      assert.ok(heard > 0.995, `${heard} of the sound`);
      assert.ok(seen > 0.99, `${seen} of the picture`);
    });
  }

  test('one bad line in a room of ten keeps its sound and loses its picture; the other nine lose nothing', async () => {
    const call = await open();
    const good = Array.from({ length: 9 }, () => subscribe(call, CLEAN));
    const bad = subscribe(call, { ...CLEAN, rate: 500_000 });
    call.clock.run(15_000);
    const from = call.clock.now;
    call.clock.run(60_000);
    assert.equal(Math.round(call.publisher.rate), CAMERA);
    for (const seat of good) assert.equal(share(call, seat, 'video', from, call.clock.now - 1000), 1);
    const heard = share(call, bad, 'audio', from, call.clock.now - 1000);
    assert.ok(heard > 0.95, `${heard} of the sound`);
    assert.ok(readCounters(call.stage.memory).droppedPaused > 0);
    const told = call.news.filter((news) => news.type === 'slowlink');
    assert.ok(told.length > 0, 'the one with the bad line is told');
    for (const news of told) {
      assert.ok(news.lost > 0);
      assert.deepEqual([news.handle, news.kind, news.uplink], [bad.member.handle, 'video', true]);
    }
  });

  test('a line that is blocked by its publisher has no say in what others get', async () => {
    const call = await open();
    const narrow = subscribe(call, { ...CLEAN, rate: 500_000 });
    const blocked = subscribe(call, CLEAN);
    call.stage.engine.setBlocked(call.source.user, blocked.member.user, true);
    call.clock.run(20_000);
    const from = call.clock.now;
    call.clock.run(20_000);
    const seen = share(call, narrow, 'video', from, call.clock.now - 1000);
    assert.ok(seen > 0.95, `${seen} of the picture: its publisher keeps to the one line that counts`);
  });

  test('a line that becomes good again gets its picture back, with a keyframe', async () => {
    const call = await open();
    const good = Array.from({ length: 3 }, () => subscribe(call, CLEAN));
    const bad = subscribe(call, { ...CLEAN, rate: 400_000 });
    call.clock.run(20_000);
    bad.downlink.conditions = CLEAN;
    call.clock.run(70_000);
    const from = call.clock.now;
    call.clock.run(10_000);
    assert.equal(share(call, bad, 'video', from, call.clock.now - 1000), 1);
    assert.equal(share(call, good[0] ?? bad, 'video', from, call.clock.now - 1000), 1);
    assert.equal(Math.round(call.publisher.rate), CAMERA);
  });

  test('random loss of a tenth pauses nobody’s picture, nor slows the room down', async () => {
    const call = await open();
    const good = subscribe(call, CLEAN);
    const lossy = subscribe(call, { ...CLEAN, loss: 0.1 });
    call.clock.run(40_000);
    for (const seat of [good, lossy]) assert.equal(share(call, seat, 'video', 0, call.clock.now - 1000), 1);
    assert.equal(Math.round(call.publisher.rate), CAMERA);
  });

  test('heavy loss slows the publisher down, and none lets it climb again', async () => {
    const call = await open();
    const seat = subscribe(call, CLEAN);
    call.clock.run(15_000);
    seat.downlink.conditions = { ...CLEAN, loss: 0.25 };
    call.clock.run(15_000);
    assert.ok(call.publisher.rate < CAMERA / 2, String(call.publisher.rate));
    seat.downlink.conditions = CLEAN;
    call.clock.run(60_000);
    assert.equal(Math.round(call.publisher.rate), CAMERA);
  });
});
