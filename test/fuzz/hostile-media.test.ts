/** Mutated packets of real peers, through SRTP, into the real server. */
// Runs alone: datagrams that nobody has time for are lost.

import { after, describe, test } from 'node:test';
import { type MediaPeer, releaseNative } from '../../bench/load/media-peer.js';
import {
  fullIntraRequest,
  negativeAcknowledgement,
  pictureLossIndication,
  receiverEstimatedMaximumBitrate,
  receiverReport,
  senderReport,
  sourceDescription,
} from '../../bench/load/rtcp.js';
import { NumberedStream } from '../../bench/load/rtp.js';
import { assertUndisturbed, bystanders, inBursts } from '../support/bystanders.js';
import { Random } from '../support/random.js';
import { usingRooms } from '../support/suite.js';

/** A copy of the packet with a few bytes changed, cut, grown or repeated. At least what SRTP can carry. */
function mutate(packet: Buffer, random: Random): Buffer {
  let mutant = Buffer.from(packet);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(Math.min(mutant.length, 40));
    switch (random.below(5)) {
      case 0:
        mutant[at] = random.below(256);
        break;
      case 1:
        mutant[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)] ?? 0;
        break;
      case 2:
        mutant = mutant.subarray(0, 12 + random.below(Math.max(1, mutant.length - 12)));
        break;
      case 3:
        mutant = Buffer.concat([mutant, Buffer.alloc(random.below(200), random.below(256))]);
        break;
      case 4:
        if (at + 2 <= mutant.length) mutant.writeUInt16BE(random.below(65536), at);
        break;
    }
  }
  return mutant.subarray(0, 1400);
}

after(releaseNative);

describe('hostile media', () => {
  const suite = usingRooms({ workers: 1 });

  /** Sends a mutant as SRTP; false if it is so broken that our own side's SRTP refuses it. */
  function sendMutant(peer: MediaPeer, mutant: Buffer): boolean {
    try {
      return peer.send(mutant);
    } catch {
      return false;
    }
  }

  test("M1, M2, M3, M4, M5: 10,000 mutated RTP and RTCP packets of a publisher disturb nobody else's call", {
    timeout: 120_000,
  }, async () => {
    const other = await bystanders(suite.room);
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.publish();
    const victim = await (await suite.room.enter('victim')).subscribe(mallory.id, { countOnly: true });
    const random = new Random(1);
    const extensions = new Map([
      [1, Buffer.from([0x80])],
      [3, Buffer.from([0, 1])],
    ]);
    const streams = [attacker.audio, attacker.video].map(
      ({ codec, ssrc, payloadType }) =>
        new NumberedStream({ codec, ssrc, payloadType, tag: 7, payloadBytes: 300, packetsPerSecond: 100, extensions }),
    );
    const reports = [attacker.audio, attacker.video].map(({ ssrc }) =>
      Buffer.concat([senderReport(ssrc, Date.now(), 1, 2, 3), sourceDescription(ssrc, 'mallory')]),
    );
    await inBursts(10_000, (index) => {
      const stream = streams[index % 2];
      const packet = index % 8 > 5 ? reports[index % 2] : stream?.next(index % 50 === 0, index);
      return packet !== undefined && sendMutant(attacker.peer, mutate(packet, random));
    });
    await assertUndisturbed(other);
    // Under a new SSRC: mutated sequence numbers have moved the sender's own SRTP index on.
    attacker.audio.ssrc += 1_000_000;
    attacker.video.ssrc += 1_000_000;
    attacker.start();
    await victim.more('video', 20);
  });

  test('M5: 10,000 mutated RTCP packets of a subscriber disturb nobody', { timeout: 120_000 }, async () => {
    const other = await bystanders(suite.room);
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.subscribe(other.source.identity.id, { countOnly: true });
    const { ssrc } = attacker.announced.video;
    const random = new Random(2);
    const seeds = [
      pictureLossIndication(1, ssrc),
      fullIntraRequest(1, ssrc, 1),
      negativeAcknowledgement(1, ssrc, [1, 2, 3, 20, 40]),
      receiverEstimatedMaximumBitrate(1, 1e6, [ssrc]),
      receiverReport(1, [
        {
          ssrc,
          fractionLost: 0,
          packetsLost: 0,
          highestSequenceNumber: 1,
          jitter: 0,
          lastSenderReport: 0,
          delaySinceLastSenderReport: 0,
        },
      ]),
    ];
    await inBursts(10_000, (index) => {
      const seed = seeds[index % seeds.length];
      return seed !== undefined && sendMutant(attacker.peer, mutate(seed, random));
    });
    await assertUndisturbed(other);
    await attacker.more('video', 20);
  });
});
