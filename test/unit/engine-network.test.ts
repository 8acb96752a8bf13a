import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCounters } from '../../workers/engine.js';
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

/** Each packet that the publisher sent again was missing, but for those that were lost on their way again. */
function assertNothingInVain(call: SimulatedCall): void {
  const { packetsRecovered, packetsGivenUp, droppedDuplicate, packetsAsked } = readCounters(call.stage.memory);
  assert.deepEqual([droppedDuplicate, packetsGivenUp, call.publisher.keyframeRequests], [0, 0, 0]);
  assert.ok(packetsRecovered > 0 && packetsRecovered <= call.publisher.resent);
  assert.ok(call.publisher.asked <= packetsAsked);
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

  for (const [i, [what, conditions]] of BAD.entries()) {
    const rtx = i % 2 === 0;
    test(`${what} on a subscriber’s leg costs no packet, and none is sent twice without cause`, async () => {
      const call = await SimulatedCall.open({ uplink: { delay: DELAY }, uplinkBack: { delay: DELAY } });
      const seat = call.subscribe({
        downlink: conditions,
        downlinkBack: conditions,
        ...(rtx ? { rtxSsrc: 9999 } : {}),
      });
      const witness = call.subscribe();
      call.publisher.start();
      call.clock.run(60_000);
      assert.deepEqual(lacking(call, seat), []);
      assertInPlace(seat);
      assert.equal(seat.peer.video.duplicates, 0);
      assert.equal(seat.peer.retransmissions > 0, rtx);
      assert.equal(witness.peer.asked, 0);
    });
  }

  for (const rtx of [true, false]) {
    for (const [what, conditions] of BAD) {
      const way = rtx ? 'in a stream of their own (RTX)' : 'under their own numbers';
      test(`${what} on the publisher’s leg costs no packet, sent again ${way}`, async () => {
        const call = await SimulatedCall.open({ rtx, uplink: conditions, uplinkBack: conditions });
        const seats = [call.subscribe(), call.subscribe()];
        call.publisher.start();
        call.clock.run(60_000);
        for (const seat of seats) {
          assert.deepEqual(lacking(call, seat), []);
          assertInPlace(seat);
          assert.equal(seat.peer.video.duplicates, 0);
        }
        assertNothingInVain(call);
      });
    }
  }

  test('bad in every way on both legs no packet is lost, and few are asked for that were only late', async () => {
    const bad: LinkConditions = {
      loss: 0.03,
      bursts: bursty(0.03),
      duplicate: 0.02,
      reorder: { share: 0.05, by: 15 },
      delay: DELAY,
      jitter: 25,
    };
    // Bursts are counted in packets: of the few that go back, one would last for seconds.
    const back: LinkConditions = { loss: 0.06, delay: DELAY, jitter: 25 };
    const call = await SimulatedCall.open({ rtx: true, uplink: bad, uplinkBack: back, seed: 3 });
    const seat = call.subscribe({ downlink: bad, downlinkBack: back, roundTrip: 150 });
    const witness = call.subscribe();
    call.publisher.start();
    call.clock.run(60_000);
    for (const one of [seat, witness]) {
      assert.deepEqual(lacking(call, one), []);
      assertInPlace(one);
    }
    const { packetsGivenUp, droppedDuplicate } = readCounters(call.stage.memory);
    assert.equal(packetsGivenUp, 0);
    const { sent, lost, delivered } = call.uplink;
    const inVain = droppedDuplicate - (delivered - (sent - lost));
    assert.ok(inVain < 0.01 * call.publisher.video.sentAt.length, `${inVain} came twice because they were asked for`);
  });
});
