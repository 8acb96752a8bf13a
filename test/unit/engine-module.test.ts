import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { Engine, readCounters, VERDICT_NAMES } from '../../workers/engine.js';
import { ENGINE_URL, Stage } from '../support/engine.js';
import { projectRoot } from '../support/project.js';
import { rtp } from '../support/rtp.js';

const module = new WebAssembly.Module(readFileSync(ENGINE_URL));

function asconfig(): { options: { initialMemory: number; maximumMemory: number } } {
  return JSON.parse(readFileSync(path.join(projectRoot, 'asconfig.json'), 'utf8'));
}

describe('the engine module', () => {
  test('imports nothing but its memory: an abort among the imports would mean that something in it can throw', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }]);
  });

  test('exports functions only', () => {
    const kinds = new Set(WebAssembly.Module.exports(module).map(({ kind }) => kind));
    assert.deepEqual([...kinds], ['function']);
  });

  test('is built for the memory that the layout says', () => {
    const { initialMemory, maximumMemory } = asconfig().options;
    assert.equal(initialMemory, layout.INITIAL_PAGES);
    assert.equal(maximumMemory, layout.MAXIMUM_PAGES);
    assert.ok(layout.ARENA_START + layout.SLOT_SIZE <= layout.INITIAL_PAGES * layout.PAGE_SIZE);
  });

  test('has tables that follow each other without overlap, aligned for their records', () => {
    const starts = [
      layout.CELLS_START,
      layout.COUNTERS_START,
      layout.RTCP_INBOX_START,
      layout.RTCP_OUTBOX_START,
      layout.RTX_OUTBOX_START,
      layout.TRANSPORT_SYMBOLS_START,
      layout.TRANSPORT_DELTAS_START,
      layout.RETRANSMISSIONS_START,
      layout.REQUESTED_START,
      layout.UP_TRACKS_START,
      layout.DOWN_TRACKS_START,
      layout.RESENDS_START,
      layout.HISTORY_START,
      layout.MISSING_START,
      layout.ARRIVALS_START,
      layout.BLOCKS_START,
      layout.TABLES_END,
    ];
    assert.deepEqual(
      starts,
      starts.toSorted((a, b) => a - b),
    );
    for (const start of starts) assert.equal(start % 8, 0);
    for (const size of [layout.UP_TRACK_SIZE, layout.DOWN_TRACK_SIZE, layout.SLOT_SIZE]) assert.equal(size % 8, 0);
    assert.ok(layout.SLOT_RECORD_SIZE + layout.PACKET_CAPACITY <= layout.SLOT_SIZE);
  });

  test('refuses a memory that another engine uses, which a second one would destroy', async () => {
    const memory = Engine.createMemory();
    await Engine.create(module, memory);
    await assert.rejects(Engine.create(module, memory), /used by one engine/);
  });

  test('has a name for every verdict', () => {
    assert.equal(VERDICT_NAMES.length, layout.VERDICTS);
    assert.equal(VERDICT_NAMES[layout.DROP_WAITING_FOR_KEYFRAME], 'droppedWaitingForKeyframe');
    assert.equal(VERDICT_NAMES[layout.DROP_PAUSED], 'droppedPaused');
    assert.equal(VERDICT_NAMES[layout.DROP_SHED], 'droppedShed');
  });

  test('counts each packet and each drop where any thread can read it', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    stage.relay(rtp({ payloadType: 111, sequence: 1, payload: Buffer.alloc(20) }), down, 1);
    stage.receive(rtp({ payloadType: 111, sequence: 1 }), 2);
    stage.receive(rtp({ payloadType: 97, sequence: 1 }), 3);
    const counters = readCounters(stage.memory);
    assert.equal(counters.received, 3);
    assert.equal(counters.bytesReceived, 32 + 19 + 19);
    assert.equal(counters.admitted, 1);
    assert.equal(counters.forwarded, 1);
    assert.equal(counters.bytesForwarded, 32);
    assert.equal(counters.droppedDuplicate, 1);
    assert.equal(counters.droppedRtx, 1);
    assert.equal(counters.upTracks, 2);
    assert.equal(counters.downTracks, 1);
  });
});
