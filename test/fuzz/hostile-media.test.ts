// Runs alone: datagrams that nobody has time for are lost.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
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
import type { Publisher } from '../support/publisher.js';
import type { Subscriber } from '../support/subscriber.js';
import { usingRooms } from '../support/suite.js';

/** mulberry32: the same mutations in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A copy of the packet with a few bytes changed, cut, grown or repeated. At least what SRTP can carry. */
function mutate(packet: Buffer, random: (below: number) => number): Buffer {
  let mutant = Buffer.from(packet);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(Math.min(mutant.length, 40));
    switch (random(5)) {
      case 0:
        mutant[at] = random(256);
        break;
      case 1:
        mutant[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0;
        break;
      case 2:
        mutant = mutant.subarray(0, 12 + random(Math.max(1, mutant.length - 12)));
        break;
      case 3:
        mutant = Buffer.concat([mutant, Buffer.alloc(random(200), random(256))]);
        break;
      case 4:
        if (at + 2 <= mutant.length) mutant.writeUInt16BE(random(65536), at);
        break;
    }
  }
  return mutant.subarray(0, 1400);
}

after(releaseNative);

describe('hostile media', () => {
  const suite = usingRooms({ workers: 1 });

  /** Somebody else's call, which nothing that follows may disturb. */
  async function call(): Promise<{ source: Publisher; sink: Subscriber }> {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish();
    source.start();
    const sink = await (await suite.room.enter('bob')).subscribe(alice.id);
    await sink.more('video', 20);
    return { source, sink };
  }

  /**
   * Asserts that the call went on meanwhile and is unhurt now. Under a flood the kernel may lose datagrams of anybody's;
   * few of them, and none afterwards.
   */
  async function assertAlive({ sink }: { sink: Subscriber }): Promise<void> {
    for (const kind of ['audio', 'video'] as const) {
      const numbers = sink.of(kind).map(({ number }) => number);
      const span = (numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1;
      assert.equal(new Set(numbers).size, numbers.length, `no ${kind} packet came twice`);
      assert.ok(numbers.length > span * 0.7, `${numbers.length} of ${span} ${kind} packets came`);
    }
    const before = { ...sink.count };
    await Promise.all([sink.more('video', 50), sink.more('audio', 20)]);
    for (const kind of ['audio', 'video'] as const) {
      // What was under way when the flood ended may still have a hole.
      const numbers = sink
        .of(kind)
        .slice(before[kind] + 5)
        .map(({ number }) => number);
      const first = numbers[0] ?? 0;
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => first + index),
        `${kind} of the call is complete again`,
      );
    }
  }

  /** Calls `send` until it has returned true `count` times, in bursts that the receiving side's queues hold. */
  async function repeat(count: number, send: (index: number) => boolean): Promise<void> {
    for (let index = 0, sent = 0; sent < count; index++) {
      if (send(index)) sent++;
      if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Sends a mutant as SRTP; false if it is so broken that our own side's SRTP refuses it. */
  function sendMutant(peer: MediaPeer, mutant: Buffer): boolean {
    try {
      return peer.send(mutant);
    } catch {
      return false;
    }
  }

  test("10,000 mutated RTP and RTCP packets of a publisher disturb nobody else's call", {
    timeout: 120_000,
  }, async () => {
    const other = await call();
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.publish();
    const victim = await (await suite.room.enter('victim')).subscribe(mallory.id, { countOnly: true });
    const random = seeded(1);
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
    await repeat(10_000, (index) => {
      const stream = streams[index % 2];
      const packet = index % 8 > 5 ? reports[index % 2] : stream?.next(index % 50 === 0, index);
      return packet !== undefined && sendMutant(attacker.peer, mutate(packet, random));
    });
    await assertAlive(other);
    // Under a new SSRC: mutated sequence numbers have moved the sender's own SRTP index on.
    attacker.audio.ssrc += 1_000_000;
    attacker.video.ssrc += 1_000_000;
    attacker.start();
    await victim.more('video', 20);
  });

  test('10,000 mutated RTCP packets of a subscriber disturb nobody', { timeout: 120_000 }, async () => {
    const other = await call();
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.subscribe(other.source.identity.id, { countOnly: true });
    const { ssrc } = attacker.announced.video;
    const random = seeded(2);
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
    await repeat(10_000, (index) => {
      const seed = seeds[index % seeds.length];
      return seed !== undefined && sendMutant(attacker.peer, mutate(seed, random));
    });
    await assertAlive(other);
    await attacker.more('video', 20);
  });

  test("RTP from a subscriber goes nowhere, and does not pass for its publisher's", async () => {
    const other = await call();
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.subscribe(other.source.identity.id);
    const forged = new NumberedStream({
      codec: 'h264',
      ssrc: other.source.video.ssrc,
      payloadType: other.source.video.payloadType,
      tag: 666,
      payloadBytes: 1000,
      packetsPerSecond: 100,
      sequenceNumber: other.source.video.sequenceNumber + 1000,
    });
    await repeat(1000, () => attacker.peer.send(forged.next(true, 0)));
    await assertAlive(other);
    assert.ok(other.sink.packets.every(({ tag }) => tag !== 666));
  });

  test('two publishers with one SSRC stay two streams', async () => {
    const other = await call();
    const mallory = await suite.room.enter('mallory');
    const twin = await mallory.publish();
    twin.video.ssrc = other.source.video.ssrc;
    twin.audio.ssrc = other.source.audio.ssrc;
    twin.start();
    const sink = await (await suite.room.enter('carol')).subscribe(mallory.id);
    await sink.more('video', 50);
    await assertAlive(other);
    assert.ok(sink.packets.every(({ tag }) => tag === twin.video.tag));
    assert.ok(other.sink.packets.every(({ tag }) => tag === other.source.video.tag));
  });

  test('20,000 datagrams of a stranger at the media port change nothing', { timeout: 120_000 }, async () => {
    const other = await call();
    const random = seeded(3);
    const stranger = createSocket('udp4');
    let answered = 0;
    stranger.on('message', () => answered++);
    const rtp = Buffer.from(other.source.video.next(false, 0));
    const shapes = [
      rtp, // RTP without SRTP
      Buffer.concat([Buffer.from([0x16, 0xfe, 0xfd]), Buffer.alloc(60, 1)]), // a DTLS record
      Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.alloc(12, 2)]), // a STUN binding request
      Buffer.alloc(100, 0xff),
    ];
    try {
      await repeat(20_000, (index) => {
        const shape = shapes[index % shapes.length];
        if (shape) stranger.send(mutate(shape, random), other.sink.serverPort, '127.0.0.1');
        return shape !== undefined;
      });
      await assertAlive(other);
      assert.ok(answered <= 5000, `${answered} answers: no more than the well-formed binding requests`);
    } finally {
      stranger.close();
    }
  });
});
