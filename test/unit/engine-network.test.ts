import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bursty, type LinkConditions } from '../support/network.js';
import { type Seat, SimulatedCall } from '../support/simulated-call.js';

/** Milliseconds at the end of a run in which a packet may still be on its way. */
const LATEST = 2000;
/** One way: a round trip of 100 ms. */
const DELAY = 50;

const BAD: readonly (readonly [string, LinkConditions])[] = [0.01, 0.05, 0.1].flatMap((share) => [
  [`${share * 100} % of random loss`, { loss: share, delay: DELAY }] as const,
  [`${share * 100} % of loss in bursts`, { bursts: bursty(share), delay: DELAY }] as const,
]);

/** Numbers of the publisher's video packets that should have reached a subscriber by now, and did not. */
function lacking(call: SimulatedCall, { peer }: Seat): number[] {
  const arrived = new Set([...peer.video.packets.values()].map(({ number }) => number));
  const first = Math.min(...arrived);
  const due = call.publisher.video.sentAt.filter((at) => at < call.clock.now - LATEST).length;
  const all = Array.from({ length: due - first }, (_, i) => first + i);
  return all.filter((number) => !arrived.has(number));
}

/** Every packet under the number that follows from its place: none lost its place, none took another's. */
function assertInPlace({ peer }: Seat): void {
  const [some] = peer.video.packets.values();
  assert.ok(some);
  for (const { sequence, number } of peer.video.packets.values()) {
    assert.equal(sequence - number, some.sequence - some.number);
  }
}

describe('over a simulated network', () => {
  test('everything arrives once, in order, after both ways, and nothing is asked for where nothing is lost', async () => {
    const call = await SimulatedCall.open({ uplink: { delay: DELAY }, uplinkBack: { delay: DELAY } });
    const seat = call.subscribe({ downlink: { delay: DELAY }, downlinkBack: { delay: DELAY } });
    call.publisher.start();
    call.clock.run(20_000);
    assert.deepEqual(lacking(call, seat), []);
    assertInPlace(seat);
    const { peer } = seat;
    assert.deepEqual([peer.asked, peer.video.duplicates, peer.audio.duplicates, call.publisher.asked], [0, 0, 0, 0]);
    for (const { number, at } of peer.video.packets.values()) {
      assert.equal(Math.round(at - (call.publisher.video.sentAt[number] ?? 0)), 2 * DELAY);
    }
    assert.ok(peer.audio.packets.size > 900);
    assert.ok(peer.rtcp.some(({ kind }) => kind === 'sender-report'));
  });

  for (const [what, conditions] of BAD) {
    test(`${what} on a subscriber’s leg costs no packet, and none is sent twice without cause`, async () => {
      const call = await SimulatedCall.open({ uplink: { delay: DELAY }, uplinkBack: { delay: DELAY } });
      const seat = call.subscribe({ downlink: conditions, downlinkBack: conditions });
      const witness = call.subscribe();
      call.publisher.start();
      call.clock.run(60_000);
      assert.deepEqual(lacking(call, seat), []);
      assertInPlace(seat);
      assert.equal(seat.peer.video.duplicates, 0);
      assert.equal(witness.peer.asked, 0);
    });
  }
});
