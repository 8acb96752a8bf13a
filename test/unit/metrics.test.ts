import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Counts, OutcomeCounts } from '../../src/observability/counts.js';
import { Exposition } from '../../src/observability/exposition.js';
import type { Figures } from '../../src/observability/figures.js';
import { METRICS } from '../../src/observability/metrics/all.js';
import { ENGINE_COUNTERS, isDrop, WORKER_COUNTERS } from '../../src/observability/metrics/shards.js';
import { SHARD_COUNTERS } from '../../workers/counters.js';
import { createMemory, readCounters } from '../../workers/memory.js';
import { readExposition, sampleOf } from '../support/exposition.js';

const outcomes = { success: {}, error: {} };
const figures: Figures = {
  version: '1.2.3',
  ready: true,
  acceptingSessions: true,
  sessions: { owned: 1, orphaned: 2 },
  sessionCounters: {},
  handles: { joined: 3, unjoined: 4 },
  rooms: 5,
  users: 6,
  publishers: 7,
  subscribers: 8,
  messages: outcomes,
  happenings: {},
  turnedAway: {},
  idsRefused: 0,
  descriptionsRefused: {},
  blocks: {},
  blockStoreDegraded: false,
  tokensRefused: {},
  bans: {},
  iceServers: {},
  shards: [
    {
      up: true,
      deaths: 0,
      worker: { loopDelayMicros: 2500, videoShedPercent: 50 },
      engine: { droppedWaitingForKeyframe: 9, droppedRtx: 1, forwarded: 2 ** 40 },
    },
    { up: false, deaths: 2, worker: {}, engine: {} },
  ],
  apis: new Map(),
  webhooks: null,
  cluster: null,
};

describe('the metrics', () => {
  test('have every counter of the workers and of the packet engine, and none that is not there', () => {
    assert.deepEqual(Object.keys(WORKER_COUNTERS).sort(), [...SHARD_COUNTERS].sort());
    const counters = Object.keys(readCounters(createMemory()));
    assert.deepEqual(Object.keys(ENGINE_COUNTERS).sort(), counters.filter((name) => !isDrop(name)).sort());
    assert.ok(counters.filter(isDrop).length > 15);
  });

  test('have names of their own and a meaning that fits into a table', () => {
    assert.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
    for (const { name, help } of METRICS) assert.match(help, /^(?!.*[|\n])[A-Z\d`].*[^.]$/, name);
  });

  test('say what was read, in base units, drops by reason', async () => {
    const families = readExposition(await new Exposition(() => figures, false).text());
    assert.equal(sampleOf(families, 'janus_sfu_build_info', { version: '1.2.3' }), 1);
    assert.equal(sampleOf(families, 'janus_sfu_shard_loop_delay_seconds', { shard: '0' }), 0.0025);
    assert.equal(sampleOf(families, 'janus_sfu_shard_video_shed_ratio', { shard: '0' }), 0.5);
    assert.equal(sampleOf(families, 'janus_sfu_rtp_packets_forwarded_total', { shard: '0' }), 2 ** 40);
    assert.deepEqual(
      families.get('janus_sfu_rtp_packets_dropped_total')?.samples.map(({ labels, value }) => [labels.reason, value]),
      [
        ['waiting_for_keyframe', 9],
        ['rtx', 1],
      ],
    );
    assert.deepEqual(
      ['0', '1'].map((shard) => sampleOf(families, 'janus_sfu_shard_up', { shard })),
      [1, 0],
    );
  });

  test('are read once for those who ask at one time, and anew for who asks later', async () => {
    let reads = 0;
    const exposition = new Exposition(() => {
      reads += 1;
      return { ...figures, rooms: reads };
    }, false);
    assert.equal(reads, 0);
    const texts = await Promise.all([exposition.text(), exposition.text(), exposition.text()]);
    assert.deepEqual([reads, new Set(texts).size], [1, 1]);
    assert.equal(sampleOf(readExposition(await exposition.text()), 'janus_sfu_rooms'), 2);
  });

  test('that fell, as those of a worker that was replaced, are told as they are', async () => {
    let engine = { forwarded: 100 };
    const exposition = new Exposition(
      () => ({ ...figures, shards: [{ up: true, deaths: 0, worker: {}, engine }] }),
      false,
    );
    const forwarded = async () =>
      sampleOf(readExposition(await exposition.text()), 'janus_sfu_rtp_packets_forwarded_total', { shard: '0' });
    assert.equal(await forwarded(), 100);
    engine = { forwarded: 3 };
    assert.equal(await forwarded(), 3);
  });

  test('that can’t be read are an error for who asked, and the next one gets them', async () => {
    let broken = true;
    const exposition = new Exposition(() => {
      if (broken) throw new Error('not now');
      return figures;
    }, false);
    await assert.rejects(exposition.text(), /not now/);
    broken = false;
    assert.match(await exposition.text(), /janus_sfu_rooms 5/);
  });
});

describe('counts by word', () => {
  test('hold the words that they were made for, whatever comes', () => {
    const counts = new Counts(['join', 'leave', 'other']);
    for (const word of ['join', '__proto__', 'constructor', 'toString', 'JOIN', '']) counts.add(word);
    assert.deepEqual(counts.read(), { join: 1, leave: 0, other: 5 });
    assert.equal(Object.hasOwn({}, 'other'), false);
    const outcome = new OutcomeCounts(['a', 'b']);
    outcome.add('a', 'success');
    outcome.add('c', 'error');
    assert.deepEqual(outcome.read(), { success: { a: 1, b: 0 }, error: { a: 0, b: 1 } });
    assert.throws(() => new Counts([]));
  });
});

describe('the reader of the tests', () => {
  for (const [what, text] of Object.entries({
    'a counter without _total': '# HELP a A\n# TYPE a counter\na 1\n',
    'a gauge with _total': '# HELP a_total A\n# TYPE a_total gauge\na_total 1\n',
    milliseconds: '# HELP a_milliseconds A\n# TYPE a_milliseconds gauge\na_milliseconds 1\n',
    'a series that is there twice': '# HELP a A\n# TYPE a gauge\na{b="1",c="2"} 1\na{c="2",b="1"} 2\n',
    'a quote in a label': '# HELP a A\n# TYPE a gauge\na{b="x"y"} 1\n',
    'a sample elsewhere': '# HELP a A\n# TYPE a gauge\nb 1\n',
    'a type without help': '# TYPE a gauge\na 1\n',
    'no end of the last line': '# HELP a A\n# TYPE a gauge\na 1',
    'a value that is none': '# HELP a A\n# TYPE a gauge\na undefined\n',
    'a counter that is negative': '# HELP a_total A\n# TYPE a_total counter\na_total -1\n',
  })) {
    test(`refuses ${what}`, () => {
      assert.throws(() => readExposition(text));
    });
  }
});
