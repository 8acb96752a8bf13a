/**
 * Whatever document a client sends gets exactly one direct reply, the one that a model of the specification predicts,
 * and changes nothing unless it was served (threats.md W8). In this process, against the real API; then a part of it
 * over a socket.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { JanusApi } from '../../src/janus/api.js';
import { Authority } from '../../src/janus/authority.js';
import type { Connection } from '../../src/janus/connection.js';
import { Sessions } from '../../src/janus/sessions.js';
import { Attendance } from '../../src/sfu/attendance.js';
import { MemoryBlockStore } from '../../src/sfu/block-store.js';
import { Blocks } from '../../src/sfu/blocks.js';
import { Gatekeeper } from '../../src/sfu/gatekeeper.js';
import { Peers } from '../../src/sfu/peers.js';
import { SfuPlugin } from '../../src/sfu/plugin.js';
import { Presence } from '../../src/sfu/presence.js';
import { Switchboard } from '../../src/sfu/switchboard.js';
import { JanusClient, type Received } from '../support/janus-client.js';
import { type Access, JanusModel, type Json } from '../support/janus-model.js';
import { documentOf, request, SECRET, SIGNED, SIGNING } from '../support/request-drafts.js';
import { ScriptedShards } from '../support/scripted-shards.js';
import { startServer } from '../support/server.js';

/** The combinations of janus-api.md 7, as the server is set and as the model sees it. */
const ACCESS: { name: string; settings: ConstructorParameters<typeof Authority>[0]; access: Access }[] = (
  [
    ['nothing', undefined, false, undefined],
    ['a secret', SECRET, false, undefined],
    ['stored tokens', undefined, true, undefined],
    ['signed tokens', undefined, true, SIGNING],
    ['a secret and stored tokens', SECRET, true, undefined],
    ['a secret and signed tokens', SECRET, true, SIGNING],
  ] as const
).map(([name, apiSecret, tokenAuth, tokenSecret]) => {
  const stored = { good: ['janus.plugin.sfu'], poor: [] };
  const tokens = tokenSecret ? { [SIGNED.good]: ['janus.plugin.sfu'], [SIGNED.poor]: [] } : stored;
  return {
    name,
    settings: { apiSecret, tokenAuth, tokenSecret, tokensMax: 10 },
    access: { ...(apiSecret && { apiSecret }), ...(tokenAuth && { tokens }) },
  };
});

interface Client extends Connection {
  readonly name: string;
  readonly events: object[];
}

function newClient(name: string, id: number): Client {
  const events: object[] = [];
  const send = (event: object) => {
    events.push(event);
  };
  return {
    name,
    events,
    id,
    transport: 'janus.transport.websockets',
    address: '192.0.2.1',
    loopback: false,
    room: null,
    send,
  };
}

function newServer(settings: ConstructorParameters<typeof Authority>[0]) {
  const shards = new ScriptedShards();
  const log = () => {};
  const blocks = new Blocks(new MemoryBlockStore(), 10);
  const presence = new Presence(shards, blocks);
  const sdp = { videoCodecs: ['h264' as const], dataChannelMaxMessageSize: 262_144, subscriberData: true };
  const peers = new Peers(shards, presence, { sdp, publicIps: [], fullTrickle: false }, log);
  const switchboard = new Switchboard({ maxRoomSize: 0, maxCcu: 0, notifyScope: 'room', replyIncludesSelf: false });
  const attendance = new Attendance(() => {});
  const parts = { switchboard, attendance, blocks, presence, gatekeeper: new Gatekeeper(null), peers, shards, log };
  const plugin = new SfuPlugin({ idBytesMax: 256, subscribeWait: 0 }, parts);
  const sessions = new Sessions({
    sessionTimeout: 0,
    reclaimTimeout: 0,
    sessionsPerConnection: 1000,
    handlesPerConnection: 1000,
    unjoinedHandlesPerConnection: 1000,
    requestsPerHandle: 100,
    eventsMax: 100,
    eventBytesMax: 100_000,
  });
  const authority = new Authority(settings);
  authority.addToken('good', ['janus.plugin.sfu']);
  authority.addToken('poor', []);
  const info = () => ({ name: 'Janus WebRTC Server' });
  const api = new JanusApi({ sessions, plugin, authority, info, opaqueIds: false, log, now: () => performance.now() });
  return { api, sessions };
}

/** Lets everything that is ready go on. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What of a reply the model speaks about. */
function summary(reply: Received) {
  const { janus, error, session_id, transaction } = reply;
  return {
    janus,
    ...(error && { code: error.code }),
    ...(session_id !== undefined && { session_id }),
    ...(transaction !== undefined && { transaction }),
  };
}

/** Asserts that two values are the same, and names the document only if they are not: there are 180,000 of them. */
function same(actual: unknown, expected: unknown, document: Json): void {
  if (!isDeepStrictEqual(actual, expected)) assert.deepEqual(actual, expected, JSON.stringify(document));
}

describe('any document', () => {
  for (const { name, settings, access } of ACCESS) {
    test(`W8: with ${name} configured gets the one reply that the specification says`, {
      timeout: 240_000,
    }, async () => {
      const codes = new Map<string, number>();
      const property = fc.asyncProperty(fc.array(request, { minLength: 40, maxLength: 60 }), async (requests) => {
        const { api, sessions } = newServer(settings);
        const clients = { ann: newClient('ann', 1), bob: newClient('bob', 2) };
        const model = new JanusModel(access);
        const counts: number[] = [];
        const ask = async (from: 'ann' | 'bob', document: Json) => {
          const predicted = model.predict(from, document);
          const index = counts.push(0) - 1;
          let answer: Received = {};
          api.request(clients[from], structuredClone(document), (reply) => {
            counts[index] = (counts[index] ?? 0) + 1;
            answer = JSON.parse(JSON.stringify(reply));
          });
          for (let turns = 0; turns < 3 || (counts[index] === 0 && turns < 1000); turns += 1) await turn();
          same(counts[index], 1, document);
          same(summary(answer), predicted, document);
          const outcome = `${answer.janus} ${answer.error?.code ?? ''}`;
          codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
          if (answer.janus !== 'error') model.apply(from, document, answer.data?.id);
          const state = sessions.all().map(({ id, owner, handles }) => {
            const of = owner === clients.ann ? 'ann' : owner === clients.bob ? 'bob' : 'nobody';
            return `${id} of ${of}: ${[...handles.keys()].sort((a, b) => a - b)}`;
          });
          same(state.sort(), model.state, document);
          return answer;
        };
        const credentials = { apisecret: SECRET, token: settings.tokenSecret ? SIGNED.good : 'good', transaction: 's' };
        for (const from of ['ann', 'bob', 'ann'] as const) {
          const { data } = await ask(from, { janus: 'create', ...credentials });
          const attach = { janus: 'attach', plugin: 'janus.plugin.sfu', session_id: data?.id ?? 0, ...credentials };
          for (let times = 0; times < 2; times += 1) await ask(from, attach);
        }
        for (const { from, draft } of requests) await ask(from as 'ann' | 'bob', documentOf(draft, from, model));
        api.acceptingSessions = model.accepting = false;
        await ask('ann', { janus: 'create', transaction: 'refused' });
        assert.ok(counts.every((count) => count === 1));
      });
      await fc.assert(property, { seed: 2026, numRuns: 600, includeErrorInReport: true });
      const refusals = [453, 454, 455, 456, 457, 458, 459, 460, 464, 465, 467, 468, 469, 472];
      if (access.apiSecret !== undefined || access.tokens) refusals.push(403);
      if (access.tokens) refusals.push(405);
      const outcomes = [...refusals.map((code) => `error ${code}`), 'success ', 'ack ', 'pong ', 'server_info '];
      for (const outcome of outcomes) {
        assert.ok((codes.get(outcome) ?? 0) > 0, `no request came to ${outcome}: ${JSON.stringify([...codes])}`);
      }
    });
  }

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
