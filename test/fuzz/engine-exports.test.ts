/** Every export of the Wasm module with every kind of argument: what it may write is said here, and nothing else changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { type EngineExports, instantiate } from '../../workers/engine-module.js';
import { createMemory } from '../../workers/memory.js';
import { AUDIO_PT, ENGINE_URL, RTX_PT, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { nack, senderReport } from '../support/rtcp.js';
import { element, KEYFRAME, rtp } from '../support/rtp.js';
import { Canaries } from './canaries.js';

/** What an argument is: a track that may be there or not, or any other number. */
type Parameter = 'up' | 'down' | 'number';
/** Parts of the memory; `up` and `down` are all that belongs to the tracks which the arguments name. */
type Part =
  | ('cells' | 'counters' | 'outbox' | 'rtx' | 'transport' | 'requests' | 'blocks' | 'slots' | 'up' | 'down')
  | ('allUps' | 'allDowns');

const TRACKS = 4;
const of = (parameters: Parameter[], ...writes: Part[]) => ({ parameters, writes });

const EXPORTS: Record<keyof EngineExports, { parameters: Parameter[]; writes: Part[] }> = {
  initialize: of([]),
  isBlocked: of(['number', 'number']),
  setBlocked: of(['number', 'number', 'number'], 'blocks', 'counters'),
  addUpTrack: of(['number'], 'allUps', 'counters'),
  configureUpTrack: of(['up', 'number', 'number', 'number', 'number', 'number', 'number', 'number'], 'up'),
  unconfigureUpTrack: of(['up'], 'up'),
  setUpTrackUser: of(['up', 'number'], 'up'),
  restartUpTrack: of(['up'], 'up'),
  removeUpTrack: of(['up'], 'up', 'allDowns', 'slots', 'counters'),
  addDownTrack: of(['up', 'number'], 'up', 'allDowns', 'counters'),
  configureDownTrack: of(['down', 'number', 'number', 'number', 'number', 'number'], 'down'),
  setDownTrackActive: of(['down', 'number'], 'down'),
  setDownTrackPaused: of(['down', 'number'], 'down'),
  setPlayoutDelay: of(['down', 'number'], 'down'),
  removeDownTrack: of(['down'], 'allDowns', 'allUps', 'counters'),
  receive: of(['up', 'up', 'number', 'number'], 'up', 'slots', 'cells', 'counters'),
  receiveMirrored: of(['up', 'number', 'number', 'number', 'number', 'number'], 'up', 'slots', 'cells', 'counters'),
  exportPacket: of(['up', 'number'], 'slots', 'cells'),
  exportReport: of(['up'], 'outbox'),
  reportedAt: of(['up']),
  translate: of(['down', 'number'], 'down', 'slots', 'counters'),
  waitingForKeyframe: of(['up']),
  readPublisherRtcp: of(['up', 'up', 'number', 'number'], 'up', 'counters'),
  readSubscriberRtcp: of(['down', 'down', 'number', 'number'], 'down', 'requests', 'cells', 'counters'),
  senderReport: of(['down', 'number'], 'down', 'outbox'),
  receiverReport: of(['up', 'up', 'number', 'number'], 'up', 'outbox'),
  keyframeRequest: of(['up', 'number'], 'up', 'outbox'),
  lossRequest: of(['up', 'number'], 'up', 'outbox', 'cells', 'counters'),
  transportFeedback: of(['up', 'up', 'number'], 'up', 'outbox', 'transport'),
  retransmit: of(['number', 'number'], 'allDowns', 'slots', 'rtx', 'cells', 'counters'),
  beginReplay: of(['down', 'number', 'number'], 'down', 'counters'),
  replayed: of(['number', 'number'], 'allDowns', 'slots', 'cells', 'counters'),
  lastPacketAt: of(['up']),
  takeLostOfPublisher: of(['up'], 'up'),
  takeLoudness: of(['up'], 'up'),
  setShedding: of(['number']),
  takeLostOfSubscriber: of(['down'], 'down'),
  roundTripTime: of(['down']),
  upTrackStatistic: of(['up', 'number']),
  downTrackStatistic: of(['down', 'number']),
};

const module = new WebAssembly.Module(readFileSync(ENGINE_URL));

type Range = readonly [start: number, end: number];
const table = (start: number, size: number, count: number): Range => [start, start + size * count];

/** All that belongs to an up track. */
const upRanges = (up: number, count = 1): Range[] => [
  table(layout.UP_TRACKS_START + up * layout.UP_TRACK_SIZE, layout.UP_TRACK_SIZE, count),
  table(layout.HISTORY_START + up * layout.HISTORY_VIDEO * 4, layout.HISTORY_VIDEO * 4, count),
  table(
    layout.MISSING_START + up * layout.MISSING_MAX * layout.MISSING_SIZE,
    layout.MISSING_MAX * layout.MISSING_SIZE,
    count,
  ),
  table(
    layout.ARRIVALS_START + up * layout.ARRIVALS * layout.ARRIVAL_SIZE,
    layout.ARRIVALS * layout.ARRIVAL_SIZE,
    count,
  ),
];
const downRanges = (down: number, count = 1): Range[] => [
  table(layout.DOWN_TRACKS_START + down * layout.DOWN_TRACK_SIZE, layout.DOWN_TRACK_SIZE, count),
  table(layout.RESENDS_START + down * layout.RESENDS * layout.RESEND_SIZE, layout.RESENDS * layout.RESEND_SIZE, count),
];

const RANGES: Record<Exclude<Part, 'up' | 'down'>, Range[]> = {
  cells: [[layout.CELLS_START, layout.COUNTERS_START]],
  counters: [[layout.COUNTERS_START, layout.RTCP_INBOX_START]],
  outbox: [[layout.RTCP_OUTBOX_START, layout.RTX_OUTBOX_START]],
  rtx: [[layout.RTX_OUTBOX_START, layout.TRANSPORT_SYMBOLS_START]],
  transport: [[layout.TRANSPORT_SYMBOLS_START, layout.RETRANSMISSIONS_START]],
  requests: [[layout.RETRANSMISSIONS_START, layout.UP_TRACKS_START]],
  blocks: [[layout.BLOCKS_START, layout.TABLES_END]],
  // Records and packets; that nothing behind them is written is for the canaries to say.
  slots: [[layout.ARENA_START, layout.INITIAL_PAGES * layout.PAGE_SIZE]],
  allUps: upRanges(0, layout.UP_TRACKS_MAX),
  allDowns: downRanges(0, layout.DOWN_TRACKS_MAX),
};

/** Where two images of the memory differ outside of the ranges; -1: nowhere. */
function firstChange(before: Buffer, now: Buffer, ranges: Range[]): number {
  let at = 0;
  for (const [start, end] of [...ranges.toSorted(([a], [b]) => a - b), [before.length, before.length] as const]) {
    if (start > at && before.compare(now, at, start, at, start) !== 0) {
      return now.findIndex((byte, i) => i >= at && byte !== before[i]);
    }
    at = Math.max(at, end);
  }
  return -1;
}

const NUMBERS = [
  ...[0, 1, 2, 3, -1, -2, 7, 12, 255, 256, 1023, 1024, 1500, 1501, 1600, 16383, 16384, 65535, 65536, 0.5],
  ...[2 ** 24, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e300, -1e300, layout.ARENA_START],
  ...[layout.UP_TRACKS_START, layout.TABLES_END, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];
/** No such tracks: beside the tables, and free places in them. */
const NOWHERE = [-1, -(2 ** 31), TRACKS * 2, 500, 1023, 1024, 1025, 16383, 16384, 2 ** 31 - 1, 2 ** 30, 65536];

/** An engine in the middle of everything: packets flowed, some are missing, wanted again, and told. */
class Scene {
  readonly wasm: EngineExports;
  readonly bytes: Buffer;
  readonly canaries: Canaries;
  #sequence = 1;

  private constructor(wasm: EngineExports, memory: WebAssembly.Memory) {
    this.wasm = wasm;
    this.bytes = Buffer.from(memory.buffer);
    this.canaries = new Canaries(memory);
    for (let up = 0; up < TRACKS; up++) {
      wasm.addUpTrack(up % 2 ? layout.KIND_VIDEO : layout.KIND_AUDIO);
      for (let i = 0; i < 2; i++) wasm.addDownTrack(up, 2 + i);
    }
    wasm.setBlocked(1, 3, 1);
    for (let round = 1; round < 4; round++) this.#flow(1000 * round);
  }

  static async open(): Promise<Scene> {
    const memory = createMemory();
    return new Scene(await instantiate(module, memory), memory);
  }

  #put(packet: Buffer, cell: number): number {
    packet.copy(this.bytes, this.bytes.readInt32LE(layout.CELLS_START + cell * 4));
    return packet.length;
  }

  /** Packets of all tracks, and what both sides say of them. */
  #flow(now: number): void {
    const { wasm } = this;
    for (let up = 0; up < TRACKS; up++) {
      const video = up % 2 === 1;
      wasm.configureUpTrack(
        up,
        2 * (up % 2),
        video ? VIDEO_PT : AUDIO_PT,
        video ? RTX_PT : 255,
        90000,
        0,
        0x05040302,
        1,
      );
      wasm.setUpTrackUser(up, 1);
      for (const down of [2 * up, 2 * up + 1]) {
        wasm.configureDownTrack(down, 100 + down, 100, 0x04030201, down % 2 ? 101 : 255, 200 + down);
        wasm.setDownTrackActive(down, 1);
        wasm.setDownTrackPaused(down, 0);
      }
      for (let i = 0; i < 6; i++) {
        this.#sequence += i === 3 ? 3 : 1;
        const number = this.#sequence & 0xffff;
        const elements = [element(1, number >> 8, number & 255), element(2, 5), element(3, 1, 2, 3)];
        const payloadType = video ? VIDEO_PT : AUDIO_PT;
        const packet = rtp({ payloadType, sequence: number, ssrc: 1000 + up, elements, payload: KEYFRAME.vp8 });
        const length = this.#put(packet, layout.CELL_INBOX);
        wasm.receive(video ? -1 : up, video ? up : -1, length, now + i);
        for (const down of [2 * up, 2 * up + 1]) wasm.translate(down, now + i);
      }
    }
    senderReport({ ssrc: 1001, ntp: [1, 2], timestamp: 3 }).copy(this.bytes, layout.RTCP_INBOX_START);
    wasm.readPublisherRtcp(0, 1, 28, now);
    const wanted = nack(102, [this.#sequence & 0xffff, 0xffff]);
    wanted.copy(this.bytes, layout.RTCP_INBOX_START);
    wasm.readSubscriberRtcp(0, 2, wanted.length, now);
    wasm.beginReplay(3, 1000, now);
  }
}

describe('the exports of the engine', () => {
  test('are those that are swept here', () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    assert.deepEqual(names.sort(), Object.keys(EXPORTS).sort());
  });

  for (const tracks of ['none', 'one'] as const) {
    const what = tracks === 'none' ? 'no track' : 'one track';
    test(`M10, M11: given any numbers and ${what}, write into ${tracks === 'none' ? 'none' : 'that one'} and nowhere else`, async () => {
      const random = new Random(tracks === 'none' ? 0x5eed : 0xfeed);
      for (const [name, { parameters, writes }] of Object.entries(EXPORTS)) {
        const scene = await Scene.open();
        const up = random.below(TRACKS);
        const down = random.below(2 * TRACKS);
        const call = scene.wasm[name as keyof EngineExports] as (...values: number[]) => unknown;
        assert.equal(call.length, parameters.length, `${name} has other parameters`);
        const named = tracks === 'none' ? [] : [...upRanges(up), ...downRanges(down)];
        const ranges = writes.flatMap((part) => (part === 'up' || part === 'down' ? named : RANGES[part]));
        const before = Buffer.from(scene.bytes);
        for (let times = 0; times < 300; times++) {
          const values = parameters.map((parameter) => {
            if (parameter === 'number') return random.pick(NUMBERS);
            if (tracks === 'none') return random.pick(NOWHERE);
            return parameter === 'up' ? up : down;
          });
          call(...values);
        }
        const change = firstChange(before, scene.bytes, ranges);
        assert.equal(change, -1, `${name} wrote at ${change}: ${before[change]} became ${scene.bytes[change]}`);
        scene.canaries.check();
      }
    });
  }
});
