/** A short version of `npm run bench:signalling`, with bounds that a busy machine keeps. */
// Runs alone: it measures milliseconds and shares of a core.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector } from '../../bench/load/inspector.js';
import { churn, measureReplies } from '../../bench/load/signalling.js';
import { limit, shownOnce } from '../support/attempts.js';
import { startServer } from '../support/server.js';

const LAPS = 3;

const LIMITS = { LOG_LEVEL: 'warn', WS_REQUEST_RATE: '1000000', WS_REQUEST_BURST: '1000000' };

test('200 idle sessions and 100 messages a second: every message is answered, soon', {
  timeout: 120_000,
}, async (t) => {
  const server = await startServer({ env: LIMITS });
  t.after(async () => assert.equal(await server.stop(), 0, server.output()));
  await shownOnce(t, async () => {
    const { messages, p50, p99, cpu } = await measureReplies(server, { sessions: 200, rate: 100, seconds: 3 });
    limit(messages >= 295, `${messages} replies`);
    limit(p50 < 20 && p99 < 200, `p50 ${p50} ms, p99 ${p99} ms`);
    limit(cpu < 0.5, `${cpu} of a core`);
  });
});

test('R3: 6,000 clients that come and go leave no memory behind', { timeout: 120_000 }, async (t) => {
  const server = await startServer({ env: { ...LIMITS, NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  t.after(async () => assert.equal(await server.stop(), 0, server.output()));
  const inspector = await Inspector.attach(server.output(), server.pid);
  await churn(server.wsUrl, 500);
  const first = await inspector.memory();
  // What a fresh process compiles and caches counts as growth once; what stays of each client counts in every lap.
  const perClient: number[] = [];
  for (let before = first; perClient.length < LAPS; ) {
    await churn(server.wsUrl, 2000);
    const after = await inspector.memory();
    perClient.push((after.heap - before.heap) / 2000);
    before = after;
  }
  const { resident } = await inspector.memory();
  inspector.close();
  // A handle, a session, a room or a user that stays would be a few hundred bytes or more.
  assert.ok(Math.min(...perClient) < 150, `bytes of objects that stay for each client: ${perClient.map(Math.round)}`);
  assert.ok(resident < first.resident * 1.25, `resident ${first.resident} -> ${resident}`);
});
