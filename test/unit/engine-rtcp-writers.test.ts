/**
 * What the relay writes, against bytes put together by hand from the texts of the standards, and as a parser that is
 * not ours reads them (werift-rtp).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  GenericNack,
  ReceiverEstimatedMaxBitrate,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RunLengthChunk,
  TransportWideCC,
} from 'werift-rtp';
import { FEEDBACK_ARRIVALS } from '../../assembly/layout.js';
import { AUDIO_PT, RTX_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { senderReport } from '../support/rtcp.js';
import { element, KEYFRAME, type RtpFields, rtp } from '../support/rtp.js';

const AUDIO = 0x0a0d1001;
const VIDEO = 0x07de0001;
/** The id of the transport-wide number's extension. */
const TRANSPORT_CC = 5;

const audio = (sequence: number, fields: Partial<RtpFields> = {}) =>
  rtp({ payloadType: AUDIO_PT, sequence, ssrc: AUDIO, timestamp: sequence * 960, ...fields });
const video = (sequence: number, fields: Partial<RtpFields> = {}) =>
  rtp({ payloadType: VIDEO_PT, sequence, ssrc: VIDEO, timestamp: sequence * 3000, payload: KEYFRAME.vp8, ...fields });

/** Lines of hex with what they mean. */
const capture = (...lines: [hex: string, meaning: string][]) => lines.map(([hex]) => hex.replaceAll(' ', '')).join('');

const SDES = capture(
  ['80 c9 0001', 'RR: version 2, no padding, no report blocks; type 201; 1 word follows'],
  ['00000001', 'the relay'],
  ['81 ca 0003', 'SDES: 1 chunk; type 202; 3 words'],
  ['00000001', 'the relay'],
  ['01 05 6a61 6e7573 00', 'CNAME of 5 bytes, janus; the list ends'],
);

function hex(packet: Buffer | null): string {
  assert.ok(packet);
  return packet.toString('hex');
}

/** All packets of a compound by the foreign parser, one by one: it reads some past their end. What it can't read it leaves out. */
function read(compound: Buffer | null, count: number) {
  assert.ok(compound);
  const packets = [];
  for (let at = 0; at < compound.length; ) {
    const end = at + 4 + 4 * compound.readUInt16BE(at + 2);
    packets.push(...RtcpPacketConverter.deSerialize(Buffer.from(compound.subarray(at, end))));
    at = end;
  }
  assert.equal(packets.length, count);
  return packets;
}

describe('RTCP that the relay writes: bytes, and what another parser reads', () => {
  test('receiver report and REMB', async () => {
    const stage = await Stage.open();
    stage.receive(audio(65535), 1000);
    stage.receive(audio(65537), 1025);
    stage.receive(video(100), 1000);
    const sr = senderReport({ ssrc: VIDEO, ntp: [0xe0001234, 0x56789abc], timestamp: 0 });
    stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 1500);
    const packet = stage.engine.receiverReport(stage.audio, stage.video, 2_500_000, 2000);
    assert.equal(
      hex(packet),
      capture(
        ['82 c9 000d', 'RR: 2 report blocks; type 201; 13 words follow'],
        ['00000001', 'the relay'],
        ['0a0d1001', 'about the audio'],
        ['55 000001', 'lost: 85/256 of the 3 expected since the last report, 1 in all'],
        ['00010001', 'highest: 1 after one rollover'],
        ['0000002d', 'jitter: 25 ms came as 40 ms of timestamps, |1200 - 1920| / 16'],
        ['00000000', 'no sender report of it yet'],
        ['00000000', 'so no time since it'],
        ['07de0001', 'about the video'],
        ['00 000000', 'nothing lost'],
        ['00000064', 'highest: 100'],
        ['00000000', 'no jitter: one packet'],
        ['12345678', 'the middle of the NTP time of its last sender report'],
        ['00008000', 'half a second ago, in 1/65536 s'],
        ['81 ca 0003', 'SDES: 1 chunk'],
        ['00000001', 'the relay'],
        ['01 05 6a61 6e7573 00', 'CNAME janus'],
        ['8f ce 0005', 'application layer feedback: format 15; type 206; 5 words'],
        ['00000001', 'from the relay'],
        ['00000000', 'about no source by itself'],
        ['52454d42', 'REMB'],
        ['01 12625a', '1 SSRC; exponent 4, mantissa 156250: 2,500,000 bit/s'],
        ['07de0001', 'the video'],
      ),
    );
    const [rr, sdes, remb] = read(packet, 3);
    assert.ok(rr instanceof RtcpRrPacket && sdes instanceof RtcpSourceDescriptionPacket);
    assert.deepEqual(
      rr.reports.map((report) => report.toJSON()),
      [
        { ssrc: AUDIO, fractionLost: 85, packetsLost: 1, highestSequence: 65537, jitter: 45, lsr: 0, dlsr: 0 },
        { ssrc: VIDEO, fractionLost: 0, packetsLost: 0, highestSequence: 100, jitter: 0, lsr: 0x12345678, dlsr: 32768 },
      ],
    );
    assert.deepEqual(
      sdes.chunks.map(({ source, items }) => [source, items.map(({ type, text }) => [type, text])]),
      [[1, [[1, 'janus']]]],
    );
    assert.ok(remb instanceof RtcpPayloadSpecificFeedback && remb.feedback instanceof ReceiverEstimatedMaxBitrate);
    assert.deepEqual([remb.feedback.bitrate, remb.feedback.ssrcFeedbacks], [2_500_000n, [VIDEO]]);
  });

  test('sender report', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    const first = stage.relayed(audio(10, { payload: Buffer.alloc(40) }), down, 1000);
    const sr = senderReport({ ssrc: AUDIO, ntp: [0xffffffff, 0xc0000000], timestamp: 4_294_967_290 });
    stage.engine.readPublisherRtcp(stage.audio, stage.video, sr, 1000);
    assert.equal(first.timestamp, 9600, 'the first source keeps its timestamps');
    const packet = stage.engine.senderReport(down, 1500);
    assert.equal(
      hex(packet),
      capture(
        ['80 c8 0006', 'SR: no report blocks; type 200; 6 words follow'],
        ['aaaa0001', 'the SSRC that the subscriber knows'],
        ['00000000 40000000', 'NTP: half a second after the publisher’s, over the end of its era'],
        ['00005dba', 'half a second of 48 kHz after the publisher’s timestamp, over its end: 24000 - 6'],
        ['00000001', 'packets'],
        ['00000028', 'octets of payload'],
        ['81 ca 0003', 'SDES: 1 chunk'],
        ['aaaa0001', 'the same source'],
        ['01 05 6a61 6e7573 00', 'CNAME janus'],
      ),
    );
    const [report] = read(packet, 2);
    assert.ok(report instanceof RtcpSrPacket);
    const { ntpTimestamp, rtpTimestamp, packetCount, octetCount } = report.senderInfo;
    assert.deepEqual([report.ssrc, ntpTimestamp, rtpTimestamp], [0xaaaa0001, 0x40000000n, 23_994]);
    assert.deepEqual([packetCount, octetCount], [1, 40]);
  });

  test('PLI and FIR', async () => {
    const stage = await Stage.open();
    stage.receive(video(1), 1);
    assert.equal(
      hex(stage.engine.keyframeRequest(stage.video, 'pli')),
      SDES +
        capture(
          ['81 ce 0002', 'PLI: format 1; type 206; 2 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the video'],
        ),
    );
    read(stage.engine.keyframeRequest(stage.video, 'pli'), 3);
    stage.engine.keyframeRequest(stage.video, 'fir');
    const fir = stage.engine.keyframeRequest(stage.video, 'fir');
    assert.equal(
      hex(fir),
      SDES +
        capture(
          ['84 ce 0004', 'FIR: format 4; type 206; 4 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the media source'],
          ['07de0001', 'the entry’s SSRC'],
          ['01 000000', 'the second command'],
        ),
    );
    const packet = read(fir, 3)[2];
    assert.ok(packet instanceof RtcpPayloadSpecificFeedback && 'fir' in packet.feedback);
    assert.deepEqual(packet.feedback.fir, [{ ssrc: VIDEO, sequenceNumber: 1 }]);
  });

  test('NACK', async () => {
    const stage = await Stage.open();
    const lost = new Set([1002, 1004, 1019, 1036]);
    for (let sequence = 1000; sequence < 1040; sequence++) if (!lost.has(sequence)) stage.receive(video(sequence), 1);
    const packet = stage.engine.lossRequest(stage.video, 20);
    assert.equal(
      hex(packet),
      SDES +
        capture(
          ['81 cd 0005', 'generic NACK: format 1; type 205; 5 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the video'],
          ['03ea 0002', '1002, and the second after it'],
          ['03fb 0000', '1019: 17 after 1002, one too far for its mask'],
          ['040c 0000', '1036: 17 after 1019'],
        ),
    );
    const nack = read(packet, 3)[2];
    assert.ok(nack instanceof RtcpTransportLayerFeedback && nack.feedback instanceof GenericNack);
    assert.deepEqual([nack.feedback.mediaSourceSsrc, nack.feedback.lost], [VIDEO, [...lost]]);
  });
});

/** A publisher whose packets arrive at the given times, in quarters of a millisecond, by their transport-wide numbers. */
async function arrivals(times: readonly (readonly [number: number, quarters: number])[]): Promise<Stage> {
  const stage = await Stage.open('vp8', { transportCc: TRANSPORT_CC });
  for (const [i, [number, quarters]] of times.entries()) {
    const elements = [element(TRANSPORT_CC, (number >> 8) & 255, number & 255)];
    stage.receive(video(i, { elements }), quarters / 4);
  }
  return stage;
}

const feedbackOf = (stage: Stage, now: number) => stage.engine.transportFeedback(stage.audio, stage.video, now);

/** What the foreign parser makes of it: for each number when it arrived, in quarters of a millisecond, or null. */
function readArrivals(packet: Buffer | null): { at: (number | null)[]; base: number; count: number } {
  const { feedback } = read(packet, 3)[2] as RtcpTransportLayerFeedback;
  assert.ok(feedback instanceof TransportWideCC);
  assert.equal(feedback.mediaSourceSsrc, VIDEO);
  const symbols: number[] = feedback.packetChunks.flatMap((chunk) =>
    chunk instanceof RunLengthChunk ? Array(chunk.runLength).fill(chunk.packetStatus) : chunk.symbolList,
  );
  const deltas = feedback.recvDeltas.map(({ delta }) => delta / 250);
  let time = feedback.referenceTime * 256;
  const at = symbols.slice(0, feedback.packetStatusCount).map((symbol) => {
    if (symbol === 0) return null;
    time += deltas.shift() ?? Number.NaN;
    return time;
  });
  assert.equal(deltas.length, 0);
  return { at, base: feedback.baseSequenceNumber, count: feedback.fbPktCount };
}

describe('transport-wide feedback', () => {
  test('of packets that all came in order: one run, small deltas, padded to a word', async () => {
    const stage = await arrivals([
      [65534, 25_700],
      [65535, 25_702],
      [65536, 25_957],
    ]);
    assert.equal(
      hex(feedbackOf(stage, 6500)),
      SDES +
        capture(
          ['af cd 0006', 'version 2, padding, format 15; type 205; 6 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the video'],
          ['fffe 0003', 'from 65534 on, 3 packets'],
          ['000064 00', 'reference time: 100 times 64 ms; the first feedback'],
          ['2003', 'run of small deltas: 3'],
          ['64', '100 quarters after the reference time'],
          ['02', '2 after the one before'],
          ['ff', '255, the most'],
          ['00 00 03', 'padding of 3 bytes'],
        ),
    );
    assert.equal(feedbackOf(stage, 9999), null, 'told once');
  });

  test('of packets that are missing, late and far apart: vectors of one and two bits, large and negative deltas', async () => {
    const stage = await arrivals([
      [10, 2560],
      [12, 2570],
      [11, 2580],
      [13, 2900],
      [15, 2901],
      ...Array.from({ length: 14 }, (_, i) => [16 + 2 * i, 2902 + i] as const),
    ]);
    assert.equal(
      hex(feedbackOf(stage, 800)),
      SDES +
        capture(
          ['af cd 000b', 'padding, format 15; 11 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the video'],
          ['000a 0021', 'from 10 on, 33 packets'],
          ['00000a 00', 'reference time: 10 times 64 ms'],
          ['d6 85', '2-bit vector: small, small, large, large, none, small, small'],
          ['95 55', '1-bit vector from 17 on: none, small, 7 times over'],
          ['95 54', 'from 31 on: none, small, 6 times over; nothing behind'],
          ['00', '10 at the reference time'],
          ['14', '11: 20 after it'],
          ['fff6', '12: it came 10 before 11'],
          ['014a', '13: 330 after 12'],
          ['01', '15'],
          ['01010101010101 01010101010101', '16, 18 … 42: one after the other'],
          ['01', 'padding of 1 byte'],
        ),
    );
  });

  test('of a long silence: a run of packets that did not come', async () => {
    const stage = await arrivals([
      [0, 1024],
      [200, 1025],
    ]);
    assert.equal(
      hex(feedbackOf(stage, 400)),
      SDES +
        capture(
          ['8f cd 0006', 'no padding, format 15; 6 words'],
          ['00000001', 'the relay'],
          ['07de0001', 'the video'],
          ['0000 00c9', 'from 0 on, 201 packets'],
          ['000004 00', 'reference time: 4 times 64 ms'],
          ['a0 00', '1-bit vector: small, then 13 that did not come'],
          ['00 ba', 'run of 186 that did not come'],
          ['20 01', 'run of 1 small delta'],
          ['00 01', 'the deltas'],
        ),
    );
  });

  test('tells every arrival of a bad network, each as it was, whatever the order, over the rollover', async () => {
    const random = new Random(0x7cc);
    const stage = await Stage.open('vp8', { transportCc: TRANSPORT_CC });
    const sent = 5000;
    const start = 64_000;
    const truth = new Map<number, number>();
    const queue: { number: number; at: number }[] = [];
    let time = 40_000;
    for (let i = 0; i < sent; i++) {
      time += random.once(400) ? 4 * random.below(900) : random.below(24);
      if (random.once(random.once(2) ? 8 : 90)) continue;
      queue.push({ number: start + i, at: time + (random.once(20) ? random.below(80) : 0) });
      if (random.once(50)) queue.push({ number: start + i, at: time + random.below(200) });
    }
    queue.sort((a, b) => a.at - b.at);
    const told = new Map<number, number>();
    let feedbacks = 0;
    let longest = 0;
    let lastAt = 0;
    const hear = (now: number) => {
      const packet = feedbackOf(stage, now);
      if (!packet) return;
      longest = Math.max(longest, packet.length);
      const { at, base, count } = readArrivals(packet);
      assert.equal(count, feedbacks++ & 255);
      assert.ok(now - lastAt >= 60 || at.length >= 200, 'not too often');
      lastAt = now;
      for (const [i, one] of at.entries()) {
        const number = base + i < start - 1000 ? base + i + 65_536 : base + i;
        if (one !== null) told.set(number, one);
      }
    };
    for (const [i, { number, at }] of queue.entries()) {
      if (!truth.has(number)) truth.set(number, at);
      const elements = [element(TRANSPORT_CC, (number >> 8) & 255, number & 255)];
      stage.receive(video(i, { elements }), at / 4);
      if (stage.engine.feedbackDue & FEEDBACK_ARRIVALS) hear(at / 4);
    }
    hear(time / 4 + 1000);
    assert.deepEqual(new Map([...told].sort(([a], [b]) => a - b)), new Map([...truth].sort(([a], [b]) => a - b)));
    assert.ok(feedbacks > 200 && longest <= 1200, `${feedbacks} of up to ${longest} bytes`);
  });

  test('counts audio, retransmissions, probes and duplicates of one transport together', async () => {
    const stage = await Stage.open('vp8', { transportCc: TRANSPORT_CC });
    const elements = (number: number) => [element(TRANSPORT_CC, 0, number)];
    stage.receive(video(1, { elements: elements(1) }), 100);
    stage.receive(audio(1, { elements: elements(2) }), 101);
    stage.receive(video(1, { elements: elements(3) }), 102);
    const probe = { payloadType: RTX_PT, ssrc: 77, payload: Buffer.alloc(0), padding: 255, elements: elements(4) };
    stage.receive(video(9, probe), 103);
    stage.receive(video(2, { elements: [element(TRANSPORT_CC, 5)] }), 104);
    stage.receive(video(3, { elements: elements(6), form: 'two-byte' }), 105);
    stage.receive(rtp({ payloadType: 5, sequence: 1, elements: elements(7) }), 106);
    assert.deepEqual(readArrivals(feedbackOf(stage, 200)).at, [400, 404, 408, 412, null, 420]);
  });

  test('begins anew with a PeerConnection, and after a leap', async () => {
    const stage = await arrivals([[5, 4000]]);
    assert.deepEqual(readArrivals(feedbackOf(stage, 1100)), { at: [4000], base: 5, count: 0 });
    stage.engine.restartUpTrack(stage.video);
    const receive = (number: number, now: number) =>
      stage.receive(video(100 + number, { elements: [element(TRANSPORT_CC, number >> 8, number & 255)] }), now);
    receive(1, 1200);
    assert.deepEqual(readArrivals(feedbackOf(stage, 1300)), { at: [4800], base: 1, count: 1 });
    receive(9000, 1400);
    receive(8000, 1401);
    assert.deepEqual(readArrivals(feedbackOf(stage, 1500)), { at: [5600], base: 9000, count: 2 });
  });

  test('is told nobody who has not negotiated it', async () => {
    const stage = await Stage.open('vp8');
    stage.receive(video(1, { elements: [element(TRANSPORT_CC, 0, 1)] }), 1000);
    assert.equal(stage.engine.feedbackDue, 0);
    assert.equal(feedbackOf(stage, 2000), null);
    for (const track of [-1, 7, 1e9]) assert.equal(stage.engine.transportFeedback(track, track, 1), null);
  });
});
