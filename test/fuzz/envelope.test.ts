/**
 * Whatever document a client sends gets exactly one direct reply, the one that a model of the specification predicts,
 * and changes nothing unless it was served (threats.md W8). In this process, against the real API; then a part of it
 * over a socket.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JanusClient, type Received } from '../support/janus-client.js';
import { JanusModel, type Json } from '../support/janus-model.js';
import { documentOf, request } from '../support/request-drafts.js';
import { startServer } from '../support/server.js';
import { ACCESS, envelopeTarget, outcomes, summary } from './targets/envelope.js';

const SEED = 20261122;
const DOCUMENTS = 30_000;

describe('any document', () => {
  test('W8: 30,000 of them get the one reply that the specification says', { timeout: 300_000 }, async () => {
    let tried = 0;
    for (let seed = SEED; tried < DOCUMENTS; seed++) {
      const outcome = await envelopeTarget.attempt(seed);
      if (typeof outcome === 'number') tried += outcome;
      else assert.fail(`seed ${seed}: ${outcome.error.stack}\n${outcome.lines.join('\n')}`);
    }
    const codes = new Set(outcomes.flatMap((seen) => [...seen.keys()]));
    const refusals = [403, 405, 453, 454, 455, 456, 457, 458, 459, 460, 464, 465, 467, 468, 469, 472];
    const expected = [...refusals.map((code) => `error ${code}`), 'success ', 'ack ', 'pong ', 'server_info '];
    for (const outcome of expected) assert.ok(codes.has(outcome), `no request came to ${outcome}: ${[...codes]}`);
    for (const [number, { name, access }] of ACCESS.entries()) {
      const has = (code: number) => outcomes[number]?.has(`error ${code}`) === true;
      assert.equal(has(403), access.apiSecret !== undefined || access.tokens !== undefined, `403 with ${name}`);
      assert.ok(access.tokens !== undefined || !has(405), `405 with ${name}`);
    }
  });

  test('W8: gets it over a socket too', { timeout: 240_000 }, async (t) => {
    const server = await startServer({ env: { WS_REQUEST_RATE: '100000', WS_REQUEST_BURST: '100000' } });
    t.after(() => server.stop());
    const clients = { ann: await JanusClient.connect(server.wsUrl), bob: await JanusClient.connect(server.wsUrl) };
    const model = new JanusModel();
    const ask = async (from: 'ann' | 'bob', document: Json) => {
      const client = clients[from];
      // Only a text with brackets is a document on a socket; the rest is the matter of other tests.
      if (typeof document !== 'object' || document === null) return;
      const wire = JSON.parse(JSON.stringify(document));
      const predicted = model.predict(from, wire);
      const start = client.received.length;
      client.send(document);
      const isDirect = (one: Received) => !['event', 'hangup', 'detached'].includes(one.janus ?? '');
      const answer = await client.until(isDirect, `the reply to ${JSON.stringify(document)}`, start);
      assert.deepEqual(summary(answer), predicted, JSON.stringify(document));
      if (answer.janus !== 'error') model.apply(from, wire, answer.data?.id);
      await client.settled();
      assert.equal(client.received.slice(start).filter(isDirect).length, 2, 'one reply, and the pong');
    };
    for (const from of ['ann', 'bob'] as const) {
      await ask(from, { janus: 'create', transaction: 's' });
      const [session] = [...model.sessions.keys()].slice(-1);
      await ask(from, { janus: 'attach', plugin: 'janus.plugin.sfu', session_id: session ?? 0, transaction: 's' });
    }
    for (const { from, draft } of fc.sample(request, { seed: 7, numRuns: 600 })) {
      const known = model.sessions.size < 12 || !JSON.stringify(draft).includes('create');
      if (known) await ask(from as 'ann' | 'bob', documentOf(draft, from, model));
    }
    for (const [id, { owner }] of model.sessions) {
      const reply = await clients[owner as 'ann' | 'bob'].request({ janus: 'keepalive', session_id: id });
      assert.equal(reply.janus, 'ack', `session ${id} is alive`);
    }
    await Promise.all(Object.values(clients).map((client) => client.close()));
  });
});
