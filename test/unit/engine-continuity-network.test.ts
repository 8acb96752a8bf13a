import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SOURCE_SILENCE_MS } from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { PUBLISHER, upParameters } from '../support/engine.js';
import { bursty, type LinkConditions } from '../support/network.js';
import { type Seat, SimulatedCall } from '../support/simulated-call.js';
import { NTP_START } from '../support/simulated-publisher.js';
import type { ArrivedPacket } from '../support/simulated-subscriber.js';

/** What may happen to a call, each followed by so many milliseconds in which packets flow. */
const EVENTS = ['nothing', 'block', 'unblock', 'source', 'connection', 'silence', 'payload type', 'join'] as const;
type Event = (typeof EVENTS)[number];

const LINE: LinkConditions = {
  loss: 0.02,
  bursts: bursty(0.02),
  reorder: { share: 0.02, by: 8 },
  delay: 30,
  jitter: 5,
};
const BACK: LinkConditions = { loss: 0.03, delay: 30 };

function happen(call: SimulatedCall, event: Event, seats: Seat[]): void {
  const { engine } = call.stage;
  const [watched] = seats;
  if (event === 'block' || event === 'unblock') {
    engine.setBlocked(PUBLISHER, watched?.member.user ?? 0, event === 'block');
    if (event === 'unblock' && !call.feedback.startWaiting(call.source, call.clock.now)) {
      call.feedback.requestKeyframe(call.source, 'fir', call.clock.now);
    }
  }
  if (event === 'source') call.publisher.renew(false);
  if (event === 'connection') {
    for (const kind of ['audio', 'video'] as const) engine.restartUpTrack(call.stage[kind]);
    call.publisher.renew(true);
  }
  if (event === 'silence') {
    call.publisher.paused = true;
    call.clock.run(SOURCE_SILENCE_MS);
    call.publisher.paused = false;
  }
  if (event === 'payload type') {
    const { video } = call.publisher;
    video.payloadType = video.payloadType === 96 ? 98 : 96;
    const parameters = upParameters('vp8', { transportCc: 4 });
    engine.configureUpTrack(call.stage.video, { ...parameters, payloadType: video.payloadType });
  }
  if (event === 'join') seats.push(call.subscribe({ downlink: LINE, downlinkBack: BACK, roundTrip: 80 }));
}

/** What a subscriber got, in the order of its numbers. */
const inOrder = ({ packets }: Seat['peer']['video']) => [...packets.values()].sort((a, b) => a.sequence - b.sequence);

/** One stream for the subscriber: what is later in its numbers was sent later, and has a later time. */
function assertContinuous(packets: ArrivedPacket[], what: string): void {
  for (const [i, packet] of packets.entries()) {
    const former = packets[i - 1];
    if (!former) continue;
    const where = `${what}: packet ${packet.number} as ${packet.sequence} after ${former.number} as ${former.sequence}`;
    assert.ok(packet.number > former.number, where);
    assert.ok(((packet.timestamp - former.timestamp) | 0) >= 0, `${where}: time goes back`);
  }
}

/** Numbers that never came, of those between the first and the last. */
const holes = (packets: ArrivedPacket[]) =>
  (packets.at(-1)?.sequence ?? 0) - (packets[0]?.sequence ?? 0) + 1 - packets.length;

describe('a call over bad lines', () => {
  test('is one stream for each subscriber, whatever happens to its publisher and to blocks', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.integer({ min: 1, max: 900 })), {
      minLength: 4,
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 1e6 }), fc.boolean(), async (events, seed, rtx) => {
        const call = await SimulatedCall.open({ seed, rtx, transportCc: 4, uplink: LINE, uplinkBack: BACK });
        const seats = [call.subscribe({ downlink: LINE, downlinkBack: BACK, roundTrip: 80, rtxSsrc: 7 })];
        const witness = call.subscribe();
        call.publisher.start();
        let changes = 0;
        for (const [event, wait] of [['nothing', 500] as const, ...events]) {
          happen(call, event, seats);
          if (event === 'source' || event === 'connection' || event === 'payload type') changes++;
          call.clock.run(wait);
        }
        call.stage.engine.setBlocked(PUBLISHER, seats[0]?.member.user ?? 0, false);
        const before = seats[0]?.peer.video.packets.size ?? 0;
        call.clock.run(4000);
        assert.ok((seats[0]?.peer.video.packets.size ?? 0) > before + 200, 'in the end everything flows');
        for (const [i, { peer }] of [...seats, witness].entries()) {
          for (const kind of ['audio', 'video'] as const) assertContinuous(inOrder(peer[kind]), `${kind} of ${i}`);
        }
        // What was on its way when a source or payload type ended is lost with it; all else came, late or again.
        const lost = holes(inOrder(witness.peer.video).slice(0, -200));
        assert.ok(lost <= 20 * changes, `${lost} holes with ${changes} changes`);
        assert.equal(readCounters(call.stage.memory).rtcpMalformed, 0);
      }),
      { seed: 5, numRuns: 40 },
    );
  });

  test('keeps lip sync: sender reports say the time of sound and picture as they were sent, over NTP’s rollover', async () => {
    const call = await SimulatedCall.open({ uplink: LINE, uplinkBack: BACK, rtx: true });
    const seat = call.subscribe({ downlink: { delay: 20 }, downlinkBack: { delay: 20 } });
    call.publisher.start();
    for (const event of ['nothing', 'source', 'block', 'unblock', 'connection', 'nothing'] as const) {
      happen(call, event, [seat]);
      // Not at the moment at which reports are made.
      call.clock.run(2510);
      for (const kind of ['audio', 'video'] as const) {
        const reception = seat.peer[kind];
        const report = seat.peer.rtcp.findLast((one) => one.kind === 'sender-report' && one.ssrc === reception.ssrc);
        assert.ok(report?.kind === 'sender-report');
        const seconds = (report.ntpMiddle / 65_536 - (NTP_START % 65_536) + 65_536) % 65_536;
        const newest = inOrder(reception).at(-1);
        assert.ok(newest);
        const clockRate = kind === 'audio' ? 48_000 : 90_000;
        const captured = seconds * 1000 + (((newest.timestamp - report.rtpTimestamp) | 0) * 1000) / clockRate;
        const sent = call.publisher[kind].sentAt[newest.number] ?? 0;
        if (event === 'block') continue;
        // The publisher reports the timestamp of its next frame as that of now.
        assert.ok(Math.abs(captured - sent) <= 34, `${event}: ${kind} is off by ${captured - sent} ms`);
      }
    }
  });

  test('wraps transport-wide numbers, sequence numbers and timestamps without a seam', async () => {
    const call = await SimulatedCall.open({ transportCc: 4, uplink: LINE, uplinkBack: BACK, packetsPerFrame: 20 });
    const seat = call.subscribe();
    call.publisher.start();
    call.clock.run(120_000);
    assert.ok(call.publisher.transportSentAt.length > 72_000);
    const packets = inOrder(seat.peer.video);
    assertContinuous(packets, 'video');
    assert.equal(holes(packets.slice(0, -600)), 0);
    assert.equal(readCounters(call.stage.memory).sourceChanges, 0);
  });
});
