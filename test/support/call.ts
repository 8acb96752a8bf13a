/** A call between test users, and what a decoder needs of a stream. */

import assert from 'node:assert/strict';
import type { MediaKind } from './member.js';
import type { Room, User } from './peer.js';
import type { Publisher } from './publisher.js';
import type { ReceivedPacket, Subscriber } from './subscriber.js';

const clockRate: Record<MediaKind, number> = { audio: 48000, video: 90000 };

/** Steps of 16-bit sequence numbers between packets that follow each other. */
export function sequenceSteps(packets: ReceivedPacket[]): number[] {
  return packets
    .slice(1)
    .map((packet, index) => (packet.sequenceNumber - (packets[index]?.sequenceNumber ?? 0)) & 0xffff);
}

/** Signed steps of 32-bit timestamps between packets that follow each other. */
function timestampSteps(packets: ReceivedPacket[]): number[] {
  return packets.slice(1).map((packet, index) => (packet.timestamp - (packets[index]?.timestamp ?? 0)) | 0);
}

/** Asserts what a decoder needs: one SSRC and payload type, no gap, and timestamps that go on at about the clock's pace. */
export function assertContinuous(subscriber: Subscriber, kind: MediaKind): void {
  const packets = subscriber.of(kind);
  for (const { ssrc, payloadType } of packets) assert.deepEqual({ ssrc, payloadType }, subscriber.announced[kind]);
  assert.deepEqual(
    sequenceSteps(packets).filter((step) => step !== 1),
    [],
    `${kind} sequence numbers follow each other`,
  );
  const steps = timestampSteps(packets);
  assert.ok(Math.min(...steps) > 0, `${kind} timestamps grow: ${Math.min(...steps)}`);
  const first = packets[0];
  const last = packets.at(-1);
  if (!first || !last) return;
  const passed = ((last.receivedAt - first.receivedAt) / 1000) * clockRate[kind];
  const advanced = (last.timestamp - first.timestamp) >>> 0;
  assert.ok(advanced < passed + 2 * clockRate[kind], `${kind} timestamps advanced ${advanced} in ${passed} ticks`);
}

export interface Call {
  alice: User;
  bob: User;
  source: Publisher;
  sink: Subscriber;
  /** Bob's own publisher, which sends nothing yet. */
  back: Publisher;
}

/** Alice publishes and sends, Bob receives both kinds. */
export async function startCall(room: Room): Promise<Call> {
  const alice = await room.enter('alice');
  const bob = await room.enter('bob');
  const source = await alice.publish();
  const back = await bob.publish();
  source.start();
  const sink = await bob.subscribe(alice.id);
  await Promise.all([sink.more('video', 20), sink.more('audio', 10)]);
  return { alice, bob, source, sink, back };
}
