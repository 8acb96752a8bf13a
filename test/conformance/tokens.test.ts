/** Joins and kicks with tokens on the wire (sfu-plugin.md, JWT); the forgeries are in test/threats/token. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { dataOf, JanusClient, refusalOf } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLISHER = { data: true, notifications: true };

function token(claims: object, key = keys.privateKey): string {
  return jwt.sign({ exp: Math.floor(Date.now() / 1000) + 600, ...claims }, key, {
    algorithm: 'RS512',
    noTimestamp: true,
  });
}

const JOIN = token({ join_hub: true });
const KICK = token({ kick_users: true });

let folder: string;
let server: RunningServer;
before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-keys-'));
  const file = path.join(folder, 'public.der');
  writeFileSync(file, keys.publicKey.export({ type: 'pkcs1', format: 'der' }));
  server = await startServer({ env: { AUTH_KEY: file, SUBSCRIBE_WAIT: '0.3' } });
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  assert.equal(await server.stop(), 0, server.output());
});

async function user(room: string, name: string, subscribe: object = PUBLISHER) {
  const client = await JanusClient.connect(server.wsUrl);
  const handle = await client.join(room, name, subscribe, JOIN);
  return { client, handle, heard: () => client.pushed(handle).map((data) => `${data.event} ${data.user_id}`) };
}

describe('a join', () => {
  const table: [name: string, token: string | null, outcome: string | null][] = [
    ['no token', null, 'Rejecting anonymous join!'],
    ['rubbish', 'rubbish', 'Rejecting join with invalid token!'],
    ['the key of somebody else', token({ join_hub: true }, stranger.privateKey), 'Rejecting join with invalid token!'],
    ['an expired token', token({ join_hub: true, exp: 1 }), 'Rejecting join with invalid token!'],
    ['no join_hub', token({}), 'Rejecting join without permission!'],
    ['other rooms', token({ join_hub: true, room_ids: ['x'] }), 'Rejecting join without permission!'],
    ['no rooms', token({ join_hub: true, room_ids: [] }), 'Rejecting join without permission!'],
    ['another user', token({ join_hub: true, user_id: 'bob' }), 'Rejecting join without permission!'],
    ['the room', token({ join_hub: true, room_ids: ['x', 'table'] }), null],
    ['every room', token({ join_hub: true, room_ids: null, sub: 'ann' }), null],
  ];
  for (const [name, text, outcome] of table) {
    test(`A5: with ${name}: ${outcome ?? 'in'}`, async () => {
      const client = await JanusClient.connect(server.wsUrl);
      const handle = await client.attach(await client.create());
      const body = { kind: 'join', room_id: 'table', user_id: 'ann', token: text };
      assert.equal(refusalOf(await client.message(handle, body)), outcome);
      if (outcome) assert.equal(refusalOf(await client.message(handle, { ...body, token: JOIN })), null, 'may retry');
      await client.close();
    });
  }

  test('of a handle that has joined says first what is wrong with its token', async () => {
    const ann = await user('again', 'ann');
    const join = { kind: 'join', room_id: 'again', user_id: 'ann' };
    for (const [text, outcome] of [
      [null, 'Rejecting anonymous join!'],
      [KICK, 'Rejecting join without permission!'],
      [JOIN, 'Handles may only join once!'],
    ]) {
      assert.equal(refusalOf(await ann.client.message(ann.handle, { ...join, token: text })), outcome);
    }
    await ann.client.close();
  });

  test('A9: leaves no token in the log', () => {
    for (const text of [JOIN, KICK]) assert.ok(!server.output().includes(text.slice(-40)));
  });
});

describe('a subscription', () => {
  test('A8: reaches another room if the token lists it, and no other (hole d)', async () => {
    const far = await user('far', 'far-user');
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    const attempt = async (body: object, claims: object) =>
      client.message(await client.attach(session), { room_id: 'near', user_id: 'u', ...body, token: token(claims) });
    const media = 'far-user';
    const joining = { kind: 'join', subscribe: { media } };
    const refused = await attempt(joining, { join_hub: true });
    assert.equal(refusalOf(refused), "Can't subscribe to a nonexistent publisher.");
    const listed = await attempt(joining, { join_hub: true, room_ids: ['near', 'far'] });
    assert.equal(listed.jsep?.type, 'offer');
    const handle = await client.join('near', 'u', {}, JOIN);
    const say = (claims: object) =>
      client.message(handle, { kind: 'subscribe', what: { media }, token: token({ join_hub: true, ...claims }) });
    assert.match(refusalOf(await say({ room_ids: ['elsewhere'] })) ?? '', /nonexistent/);
    assert.equal((await say({ room_ids: ['far'] })).jsep?.type, 'offer');
    await far.client.close();
    await client.close();
  });

  test('before joining needs a token', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const reply = await client.message(handle, { kind: 'subscribe', what: { media: 'x' } });
    assert.equal(refusalOf(reply), 'Rejecting anonymous subscribe!');
    await client.close();
  });
});

describe('a kick', () => {
  const refusals: [name: string, token: string | null, outcome: string][] = [
    ['no token', null, 'Rejecting anonymous kick!'],
    ['rubbish', 'rubbish', 'Rejecting kick with invalid token!'],
    ['no kick_users', JOIN, 'Rejecting kick without permission!'],
    ['another room', token({ kick_users: true, room_ids: ['x'] }), 'Rejecting kick without permission!'],
  ];
  for (const [name, text, outcome] of refusals) {
    test(`A8: with ${name}: ${outcome} (holes c, g)`, async () => {
      const bob = await user('refused', 'bob');
      const reply = await bob.client.message(bob.handle, {
        kind: 'kick',
        room_id: 'refused',
        user_id: 'bob',
        token: text,
      });
      assert.equal(refusalOf(reply), outcome);
      assert.equal(refusalOf(await bob.client.message(bob.handle, { kind: 'data', body: 'still here' })), null);
      await bob.client.close();
    });
  }

  test('ends all handles of the user in that room, and only those', async () => {
    const ann = await user('kick', 'ann');
    const bob = await user('kick', 'bob');
    const second = await bob.client.attach(bob.handle.session);
    const join = { kind: 'join', user_id: 'bob', token: JOIN };
    await bob.client.message(second, { ...join, room_id: 'kick' });
    const elsewhere = await bob.client.attach(bob.handle.session);
    await bob.client.message(elsewhere, { ...join, room_id: 'elsewhere' });
    const unjoined = await ann.client.attach(ann.handle.session);
    const reply = await ann.client.message(unjoined, { kind: 'kick', room_id: 'kick', user_id: 'bob', token: KICK });
    assert.deepEqual(dataOf(reply), { success: true, response: {} });
    for (const handle of [bob.handle, second]) {
      await bob.client.until((one) => one.janus === 'detached' && one.sender === handle.id, 'detached');
      const gone = await bob.client.toHandle(handle, { janus: 'message', body: {} });
      assert.equal(gone.error?.code, 459);
    }
    assert.equal((await bob.client.toHandle(elsewhere, { janus: 'message', body: {} })).janus, 'ack');
    await ann.client.settled();
    assert.deepEqual(ann.heard(), ['join bob', 'leave bob']);
    await Promise.all([ann.client.close(), bob.client.close()]);
  });

  test('of oneself is answered, and then the handle ends', async () => {
    const [ann, bob] = [await user('self', 'ann'), await user('self', 'bob')];
    const second = await ann.client.attach(ann.handle.session);
    await ann.client.message(second, { kind: 'join', room_id: 'self', user_id: 'ann', token: JOIN });
    const from = ann.client.received.length;
    const kick = { kind: 'kick', room_id: 'self', user_id: 'ann', token: KICK };
    assert.deepEqual(dataOf(await ann.client.message(ann.handle, kick)), { success: true, response: {} });
    await ann.client.until((one) => one.janus === 'detached' && one.sender === ann.handle.id, 'detached', from);
    const told = ann.client.received.slice(from).map(({ janus, sender }) => `${janus} ${sender ?? ''}`);
    const [own, other] = [`detached ${ann.handle.id}`, `detached ${second.id}`];
    assert.deepEqual(told.toSorted(), ['ack ', own, other, `event ${ann.handle.id}`].toSorted());
    assert.equal(told.at(-1), own);
    assert.equal((await ann.client.toHandle(ann.handle, { janus: 'message', body: {} })).error?.code, 459);
    await bob.client.until((one) => dataOf(one)?.event === 'leave', 'leave');
    assert.deepEqual(bob.heard(), ['leave ann']);
    await bob.client.close();
    assert.equal((await ann.client.request({ janus: 'keepalive', session_id: ann.handle.session })).janus, 'ack');
    await ann.client.close();
  });

  test('of nobody is a success', async () => {
    const ann = await user('nobody', 'ann');
    const body = { kind: 'kick', room_id: 'nobody', user_id: 'nobody', token: KICK };
    assert.equal(refusalOf(await ann.client.message(ann.handle, body)), null);
    await ann.client.close();
  });
});
