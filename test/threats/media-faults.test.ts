/** An engine whose memory somebody wrote over, or whose code trapped (threats.md M11). */
// Runs beside others: it waits for a worker of its own.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { MediaPeer, releaseNative } from '../../bench/load/media-peer.js';
import { NumberedStream } from '../../bench/load/rtp.js';
import { Shards } from '../../src/shards/pool.js';
import { EngineFault, isFatal } from '../../workers/engine-fault.js';
import { Canaries } from '../fuzz/canaries.js';
import { Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { Observable } from '../support/observable.js';
import { nafChannels } from '../support/publisher.js';
import { nack } from '../support/rtcp.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

after(releaseNative);

const VALUES = [
  ...[0, 1, -1, 11, 1500, 1501, 65535, 2 ** 31 - 1, -(2 ** 31), layout.UP_TRACKS_START, layout.TABLES_END],
  ...[layout.ARENA_START, layout.ARENA_START + 1, layout.ARENA_START + layout.SLOT_RECORD_SIZE + 1, 0x7fff0000],
];

describe('the engine', () => {
  test('M11: with any of its cells overwritten goes on or says that it can’t, and the host writes nowhere else', async () => {
    for (let cell = 0; cell < layout.CELLS; cell++) {
      let faults = 0;
      for (const value of VALUES) {
        const stage = await Stage.open();
        const down = stage.subscribe('video');
        const canaries = new Canaries(stage.memory);
        const packet = (sequence: number) => rtp({ payloadType: VIDEO_PT, sequence, payload: KEYFRAME.vp8 });
        stage.relayed(packet(1), down, 1);
        const tables = Buffer.from(
          stage.memory.buffer,
          layout.UP_TRACKS_START,
          layout.TABLES_END - layout.UP_TRACKS_START,
        );
        const cells = new Int32Array(stage.memory.buffer, layout.CELLS_START, layout.CELLS);
        const poisoned = (work: () => unknown) => {
          cells[cell] = value;
          try {
            work();
          } catch (error) {
            assert.ok(error instanceof EngineFault, String(error));
            faults++;
          }
        };
        const before = Buffer.from(tables);
        // The host copies a packet to where it is told: nothing of the tables may be there.
        poisoned(() => stage.engine.receive(-1, -1, packet(2), 2));
        assert.ok(before.equals(tables), `cell ${cell} = ${value}: the host wrote into a table`);
        poisoned(() => stage.receive(packet(3), 3));
        poisoned(() => stage.engine.packet);
        stage.engine.readSubscriberRtcp(-1, down, nack(0xbbbb0001, [1, 0xffff]), 4);
        poisoned(() => {
          for (let i = stage.engine.retransmissions - 1; i >= 0; i--) stage.engine.retransmission(i, 1000);
        });
        canaries.check();
      }
      const addresses = [layout.CELL_INBOX, layout.CELL_PACKET, layout.CELL_PACKET_LENGTH];
      assert.equal(faults > 0, addresses.includes(cell), `cell ${cell}: ${faults} faults`);
    }
  });

  test('M11: a trap is an error that ends the worker', () => {
    // (module (func (export "f") unreachable))
    const bytes = Buffer.from('0061736d0100000001040160000003020100070501016600000a05010300000b', 'hex');
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
    assert.throws(exports.f as () => void, isFatal);
    assert.ok(!isFatal(new RangeError('There is no up track 7.')));
  });
});

/** A shard's memory, which only the pool and its worker know. */
function memoryOf(shards: Shards): WebAssembly.Memory {
  const places: unknown = Reflect.get(shards, 'places');
  const memory: unknown = Array.isArray(places) ? places[0]?.memory : null;
  assert.ok(memory instanceof WebAssembly.Memory);
  return memory;
}

function startOne(log: (level: string, message: string) => void): Promise<Shards> {
  return Shards.start({
    workers: 1,
    rtpPort: 33_000 + (process.pid % 1000),
    placement: 'auto',
    fanOut: 'off',
    loadMax: 1,
    stallLimit: 0,
    settings: {
      videoBitrateMax: 1e6,
      videoBitrateMin: 1e5,
      dataBacklogMax: 1 << 20,
      unreliableLabels: [],
      loopDelayMax: 0,
      connectTimeout: 20_000,
      noMediaTimeout: 0,
      slowlinkThreshold: 0,
      addonFolders: [],
      batchScheduling: false,
      workerPinning: false,
    },
    log,
  });
}

describe('a media worker', () => {
  // A pool of workers alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  after(() => clearInterval(alive));

  test('takes clients from the moment it has started', async () => {
    const shards = await startOne(() => {});
    try {
      assert.equal(shards.place({}), 0);
    } finally {
      await shards.stop();
    }
  });

  test('M11: whose engine can’t be trusted any more is replaced, its users are told, and the reason is logged', {
    timeout: 60_000,
  }, async () => {
    const news = new Observable();
    const said: string[] = [];
    const logged: string[] = [];
    const shards = await startOne((level, message) => {
      logged.push(`${level}: ${message}`);
      news.changed();
    });
    const peer = new MediaPeer('sender');
    try {
      shards.onNews((_, one) => {
        said.push(one.type === 'fault' ? `fault: ${one.message}` : one.type);
        news.changed();
      });
      shards.onLost(() => {
        said.push('lost');
        news.changed();
      });
      const { fingerprint, ...own } = await peer.offer(nafChannels);
      const [algorithm = '', value = ''] = fingerprint.split(' ');
      const { local } = await shards.run(0, {
        type: 'accept-offer',
        handle: 1,
        remote: { iceUfrag: own.iceUfrag, icePwd: own.icePwd, fingerprint: { algorithm, value }, setup: 'actpass' },
        tracks: [upParameters('h264')],
        data: true,
      });
      assert.ok(local);
      peer.acceptAnswer({
        ...local,
        fingerprint: `${local.fingerprint.algorithm} ${local.fingerprint.value}`,
        candidates: [`candidate:1 1 UDP 2122317823 127.0.0.1 ${local.candidates[0]?.port} typ host`],
      });
      await peer.ready;
      const stream = { codec: 'h264', payloadType: VIDEO_PT, ssrc: 1, tag: 1, payloadBytes: 100 } as const;
      const video = new NumberedStream({ ...stream, packetsPerSecond: 50 });
      const sending = setInterval(() => peer.send(video.next(true, 0)), 20);
      await news.until(() => said.includes('media'), 'media');
      new Int32Array(memoryOf(shards).buffer, layout.CELLS_START, layout.CELLS)[layout.CELL_INBOX] =
        layout.BLOCKS_START;
      await news.until(() => said.includes('lost'), 'the end of the worker');
      clearInterval(sending);
      assert.ok(
        said.some((one) => one.startsWith('fault: ') && one.includes('No packet can lie at')),
        said.join(),
      );
      await news.until(() => logged.some((line) => line.includes('was replaced')), 'the new worker');
      assert.ok(logged.some((line) => line.startsWith('error: a media worker died')));
      assert.deepEqual(await shards.run(0, { type: 'set-blocked', userA: 1, userB: 2, blocked: true }), {});
    } finally {
      await peer.close();
      await shards.stop();
    }
  });
});
