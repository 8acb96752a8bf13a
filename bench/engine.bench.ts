/**
 * `npm run bench:engine`: the packet engine's operations per second beside the same logic in plain TypeScript.
 * With `--json` one line of JSON: `{ node, benches: [{ name, wasm, plain, ratio }] }`, in operations per second.
 *
 * A translate operation is one packet for one subscriber; a receive one packet of 1200 bytes; a NACK look-up
 * one lost packet that was asked for, found and rewritten (and one sent before).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Benchmark from 'benchmark';
import { FORWARD, SUBSCRIBER_NACK } from '../assembly/layout.js';
import { Engine } from '../workers/engine.js';
import type { DownTrackParameters, UpTrackParameters } from '../workers/protocol.js';
import { PlainDownTrack, PlainEngine, PlainUpTrack } from './plain-engine.js';

const PUBLISHER = 1;
const SUBSCRIBER = 2;
const PACKET_BYTES = 1200;
const SECONDS = 0.3;
/** Operations before measuring. */
const WARM_UP = 300_000;
/** Subscribers of one packet. */
const FAN_OUT = 50;
/** Packets that one NACK asks for: an entry and its mask. */
const NACKED = 17;

const UP: UpTrackParameters = {
  kind: 'video',
  codec: 'vp8',
  payloadType: 96,
  rtxPayloadType: 97,
  ssrc: null,
  clockRate: 90000,
  extensions: { mid: 1, absSendTime: 2, transportCc: 3, videoOrientation: 4 },
};
const DOWN: DownTrackParameters = {
  kind: 'video',
  payloadType: 100,
  rtxPayloadType: null,
  ssrc: 0x12345678,
  rtxSsrc: null,
  extensions: { absSendTime: 5, videoOrientation: 6 },
};

/** A VP8 packet with mid, abs-send-time and transport-cc, as a browser sends it; the first of a key frame. */
function videoPacket(): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xa5);
  packet.writeUInt16BE(0x9060, 0);
  packet.writeUInt32BE(0xcafe, 8);
  Buffer.from('bede0003' + '1030' + '22010203' + '310004' + '000000', 'hex').copy(packet, 12);
  Buffer.from('100000', 'hex').copy(packet, 28);
  return packet;
}

/** Writes the next number and a new frame's timestamp, so that every packet is new and may start a stream. */
function advance(packet: Buffer, sequence: number): void {
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 90) >>> 0, 4);
}

/** RFC 4585 6.2.1: one entry with a full mask. */
function nackPacket(): Buffer {
  return Buffer.from('81cd0003' + '00000001' + '12345678' + '0000ffff', 'hex');
}

/** Makes the NACK ask for the NACKED packets before the newest one that was sent. */
function askBefore(nack: Buffer, newest: Buffer): void {
  nack.writeUInt16BE((newest.readUInt16BE(2) - NACKED) & 0xffff, 12);
}

/** One of the two engines, with a publisher, a subscriber, and so many blocked pairs of other users. */
interface Side {
  receive(packet: Buffer, now: number): number;
  translate(now: number): number;
  /** Asks for NACKED packets before the newest one; how many were to be had. */
  lookUp(now: number): number;
}

async function wasmSide(blocks: number): Promise<Side> {
  const module = await WebAssembly.compile(readFileSync(new URL('../engine.wasm', import.meta.url)));
  const engine = await Engine.create(module, Engine.createMemory());
  const up = engine.addUpTrack('video');
  engine.configureUpTrack(up, UP);
  engine.setUpTrackUser(up, PUBLISHER);
  const down = engine.addDownTrack(up, DOWN, SUBSCRIBER);
  engine.setDownTrackActive(down, true);
  for (let i = 0; i < blocks; i++) engine.setBlocked(10 + i, 20000 + i, true);
  const nack = nackPacket();
  return {
    receive: (packet, now) => engine.receive(-1, up, packet, now),
    translate: (now) => engine.translate(down, now),
    lookUp(now) {
      askBefore(nack, engine.packet);
      if ((engine.readSubscriberRtcp(-1, down, nack, now) & SUBSCRIBER_NACK) === 0) return 0;
      let found = 0;
      for (let i = 0; i < engine.retransmissions; i++) if (engine.retransmission(i, now)) found++;
      return found;
    },
  };
}

function plainSide(blocks: number): Side {
  const engine = new PlainEngine();
  for (let i = 0; i < blocks; i++) engine.setBlocked(10 + i, 20000 + i, true);
  const up = new PlainUpTrack(UP, PUBLISHER);
  const down = new PlainDownTrack(up, DOWN, SUBSCRIBER);
  const nack = nackPacket();
  return {
    receive: (packet, now) => engine.receive(up, packet, now),
    translate: (now) => engine.translate(down, now),
    lookUp(now) {
      askBefore(nack, engine.packet);
      let found = 0;
      for (let at = 12; at < nack.length; at += 4) {
        const first = nack.readUInt16BE(at);
        if (engine.retransmission(down, first, now)) found++;
        for (let mask = nack.readUInt16BE(at + 2), step = 1; mask !== 0; mask >>= 1, step++) {
          if (mask & 1 && engine.retransmission(down, (first + step) & 0xffff, now)) found++;
        }
      }
      return found;
    },
  };
}

/** Operations per second of a function that does `operations` of them; it returns false if it did something else. */
function measure(operations: number, run: () => boolean): number {
  let wrong = 0;
  const counted = () => {
    if (!run()) wrong++;
  };
  // Long enough for the compilers to have finished with it.
  for (let i = 0; i < WARM_UP / operations; i++) counted();
  const bench = new Benchmark(counted, { maxTime: SECONDS, minSamples: 15 });
  bench.run();
  assert.equal(wrong, 0, 'the bench measured something else than it says');
  // Seconds per call of each sample; the least is the one that other processes disturbed least.
  return operations / Math.min(...bench.stats.sample);
}

interface Scene {
  name: string;
  /** Operations in one run. */
  operations: number;
  blocks: number;
  makeRun(side: Side): () => boolean;
}

/** The packets of a publisher, one after the other, and the time that goes on with them. */
class Source {
  readonly #packet = videoPacket();
  #sequence = 0;
  now = 1;

  receiveBy(side: Side): boolean {
    advance(this.#packet, ++this.#sequence);
    this.now += 1;
    return side.receive(this.#packet, this.now) === FORWARD;
  }

  translateBy(side: Side, times: number): boolean {
    let forwarded = 0;
    for (let i = 0; i < times; i++) if (side.translate(this.now) === FORWARD) forwarded++;
    return forwarded === times;
  }
}

function receiving(side: Side): () => boolean {
  const source = new Source();
  return () => source.receiveBy(side);
}

function translating(side: Side): () => boolean {
  const source = new Source();
  source.receiveBy(side);
  return () => source.translateBy(side, FAN_OUT);
}

/**
 * A subscriber gets no more packets again than it was sent, and none twice within a round trip: time passes, and as many
 * are sent as are asked for.
 */
function answering(side: Side): () => boolean {
  const source = new Source();
  for (let i = 0; i < 2 * NACKED; i++) {
    source.receiveBy(side);
    source.translateBy(side, 1);
  }
  return () => {
    source.now += 100;
    return source.translateBy(side, NACKED) && side.lookUp(source.now) === NACKED;
  };
}

const SCENES: Scene[] = [
  { name: 'admit (receive)', operations: 1, blocks: 0, makeRun: receiving },
  { name: 'translate, 0 blocks', operations: FAN_OUT, blocks: 0, makeRun: translating },
  { name: 'translate, 10 blocks', operations: FAN_OUT, blocks: 10, makeRun: translating },
  { name: 'translate, 1000 blocks', operations: FAN_OUT, blocks: 1000, makeRun: translating },
  { name: 'NACK look-up + translate', operations: NACKED, blocks: 0, makeRun: answering },
];

const benches = [];
for (const { name, operations, blocks, makeRun } of SCENES) {
  const [wasm, plain] = [await wasmSide(blocks), plainSide(blocks)].map((side) => measure(operations, makeRun(side)));
  assert.ok(wasm && plain);
  benches.push({ name, wasm: Math.round(wasm), plain: Math.round(plain), ratio: Number((wasm / plain).toFixed(2)) });
}

if (process.argv.includes('--json')) console.log(JSON.stringify({ node: process.versions.node, benches }));
else {
  const cell = (value: number | string) => String(value).padStart(14);
  console.log(`${'operation'.padEnd(24)}${cell('Wasm ops/s')}${cell('plain ops/s')}${cell('Wasm : plain')}`);
  for (const { name, wasm: ops, plain: other, ratio } of benches) {
    console.log(`${name.padEnd(24)}${cell(ops.toLocaleString('en'))}${cell(other.toLocaleString('en'))}${cell(ratio)}`);
  }
}
