/**
 * The guard on what forwarding costs: CPU per packet as a ratio to the bare loop, which runs at the same time beside it, so
 * that whatever the machine does meanwhile hits both. For figures: npm run bench.
 */
// Runs alone: it compares the CPU times of two processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, startBareLoop, startJanusSfu } from '../../bench/contenders.js';
import { measureWindow } from '../../bench/forwarding.js';
import { GeneratorProcess } from '../../bench/load/generator-process.js';
import { limit, shownOnce } from '../support/attempts.js';

const SHAPE = { rooms: 1, users: 1, listeners: 30 };
const RATES = { videoPps: 200, audioPps: 50 };
/** Compiling counts for more in so short a run than in the benches, whose ratio is about 1. */
const MOST = 1.6;
const WARM_UP_MS = 3000;
const SECONDS = 3;

async function measure(contender: Contender) {
  const generator = new GeneratorProcess();
  try {
    await generator.connect(contender.target);
    await generator.publish(SHAPE);
    await generator.subscribe();
    await generator.send(RATES);
    await elapse(WARM_UP_MS);
    const result = await measureWindow(contender, generator, SECONDS);
    await generator.stop();
    return result;
  } finally {
    generator.kill();
  }
}

test('forwarding a packet costs no more than 1.6 times what a bare loop of node-datachannel needs', async (t) => {
  await shownOnce(t, async () => {
    const contenders = await Promise.all([startJanusSfu(), startBareLoop()]);
    try {
      const [ours, loop] = await Promise.all(contenders.map(measure));
      assert.ok(ours && loop && ours.forwardedPerSecond > 1000, 'packets are forwarded');
      const ratio = ours.cpuPerPacket / loop.cpuPerPacket;
      const told = `${ours.cpuPerPacket.toFixed(1)} us a packet, the loop ${loop.cpuPerPacket.toFixed(1)}: ${ratio.toFixed(2)}`;
      t.diagnostic(told);
      limit(ratio <= MOST, told);
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()));
    }
  });
});
