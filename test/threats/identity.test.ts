/** Who somebody is: tokens, impostors, zombies, kicks (threats.md A5 to A9, and the holes a to d and h of the reference). */
// Runs beside others: it waits for servers of its own, and measures nothing.
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
const PUBLISHER = { data: true, notifications: true };

let serial = 0;
/** A token like no other. */
function token(claims: object): string {
  serial += 1;
  return jwt.sign({ exp: Math.floor(Date.now() / 1000) + 600, join_hub: true, serial, ...claims }, keys.privateKey, {
    algorithm: 'RS512',
    noTimestamp: true,
  });
}
const KICK = token({ kick_users: true, user_id: 'moderator' });

let folder: string;
let server: RunningServer;
/** One where tokens have to name their users, and those of kicked users are banned. */
const start = () =>
  startServer({
    env: {
      AUTH_KEY: path.join(folder, 'public.der'),
      BLOCK_STORE: 'lmdb',
      DATA_DIR: folder,
      TOKEN_USER_REQUIRED: 'true',
      BAN_KICKED_TOKENS: 'true',
      SUBSCRIBE_WAIT: '0.3',
    },
  });
before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-identity-'));
  writeFileSync(path.join(folder, 'public.der'), keys.publicKey.export({ type: 'pkcs1', format: 'der' }));
  server = await start();
});
after(async () => {
  const code = await server.stop();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(code, 0, server.output());
});

/** Joins on a connection of its own. Returns why that was refused, or null. */
async function attempt(room: string, user: string, text: string): Promise<string | null> {
  const client = await JanusClient.connect(server.wsUrl);
  const handle = await client.attach(await client.create());
  const body = { kind: 'join', room_id: room, user_id: user, subscribe: PUBLISHER, token: text };
  const refusal = refusalOf(await client.message(handle, body));
  await client.close();
  return refusal;
}

/** A figure of the metrics. */
async function gauge(series: string): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`janus_sfu_${series} `));
  return Number(line?.split(' ')[1]);
}

async function kick(room: string, user: string): Promise<void> {
  const client = await JanusClient.connect(server.wsUrl);
  const handle = await client.attach(await client.create());
  const body = { kind: 'kick', room_id: room, user_id: user, token: KICK };
  assert.equal(refusalOf(await client.message(handle, body)), null);
  await client.close();
}

describe('a kicked user', () => {
  test('A8: can not come back with the same token, in no room, nor after a restart; with a new one it can', async () => {
    const banned = token({ user_id: 'eve' });
    const eve = await JanusClient.connect(server.wsUrl);
    await eve.join('banning', 'eve', PUBLISHER, banned);
    await kick('banning', 'eve');
    for (const room of ['banning', 'elsewhere']) {
      assert.equal(await attempt(room, 'eve', banned), 'Rejecting join with banned token!');
    }
    const handle = await eve.attach(await eve.create());
    const subscribe = { kind: 'subscribe', what: { media: 'ann' }, token: banned };
    assert.equal(refusalOf(await eve.message(handle, subscribe)), 'Rejecting subscribe with banned token!');
    const turn = await fetch(`${server.httpUrl}/ice-servers`, { headers: { Authorization: `Bearer ${banned}` } });
    assert.equal(turn.status, 401);
    await eve.close();
    assert.equal(await attempt('banning', 'eve', token({ user_id: 'eve' })), null);
    assert.equal(await server.stop(), 0, server.output());
    server = await start();
    assert.equal(await attempt('banning', 'eve', banned), 'Rejecting join with banned token!');
  });
});

/** A user on a connection of its own. */
async function user(room: string, name: string) {
  const client = await JanusClient.connect(server.wsUrl);
  const handle = await client.join(room, name, PUBLISHER, token({ user_id: name }));
  return {
    client,
    handle,
    heard: () => client.pushed(handle).map((data) => `${data.event} ${data.user_id ?? data.body}`),
    /** Subscribes to somebody's media by a handle of its own. Returns the type of what came with the reply. */
    async hear(whom: string) {
      const listener = await client.attach(handle.session);
      const body = { kind: 'join', room_id: room, user_id: name, subscribe: { media: whom } };
      const reply = await client.message(listener, { ...body, token: token({ user_id: name }) });
      return reply.jsep?.type ?? refusalOf(reply);
    },
  };
}

describe('an impostor', () => {
  test('A6: does not get in with the id of somebody else, where tokens name their users (hole a)', async () => {
    const without = 'Rejecting join without permission!';
    assert.equal(await attempt('stage', 'victim', token({ user_id: 'mallory' })), without);
    assert.equal(await attempt('stage', 'victim', token({})), without);
    assert.equal(await attempt('stage', 'victim', token({ sub: 'victim' })), null);
  });

  test('A6: that joined as the victim and left again leaves the victim subscribable and kickable (hole b)', async () => {
    const victim = await user('stage', 'victim');
    const watcher = await user('stage', 'watcher');
    // As if tokens named nobody: the same id, twice.
    const impostor = await user('stage', 'victim');
    await impostor.client.close();
    while ((await gauge('handles{state="joined"}')) > 2) await watcher.client.settled();
    assert.equal(await watcher.hear('victim'), 'offer');
    assert.deepEqual(
      watcher.heard(),
      ['join victim'],
      'the impostor’s coming is told, its going is not: the user is there',
    );
    await kick('stage', 'victim');
    await victim.client.until((one) => one.janus === 'detached', 'detached');
    await watcher.client.until((one) => dataOf(one).event === 'leave', 'leave');
    assert.deepEqual(watcher.heard(), ['join victim', 'leave victim']);
    for (const { client } of [victim, watcher]) await client.close();
  });
});

describe('a user who comes back', () => {
  test('A7: at once after its socket broke is told as one leave and one join, and is not listed to itself', async () => {
    const watcher = await user('return', 'watcher');
    const before = await user('return', 'ann');
    before.client.socket.terminate();
    await watcher.client.until((one) => dataOf(one).event === 'leave', 'leave');
    const back = await user('return', 'ann');
    await watcher.client.settled();
    assert.deepEqual(watcher.heard(), ['join ann', 'leave ann', 'join ann']);
    assert.equal(await watcher.hear('ann'), 'offer');
    for (const { client } of [watcher, back]) await client.close();
  });

  test('A7: while its old session is still there is usable at once, and the old one’s end is no leave', async () => {
    const watcher = await user('zombie', 'watcher');
    const zombie = await user('zombie', 'ann');
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const body = { kind: 'join', room_id: 'zombie', user_id: 'ann', subscribe: PUBLISHER };
    const reply = await client.message(handle, { ...body, token: token({ user_id: 'ann' }) });
    assert.deepEqual(dataOf(reply).response, { users: { zombie: ['watcher'] } }, 'it does not find itself');
    await client.message(handle, { kind: 'data', body: 'I am back', whom: 'watcher' });
    await zombie.client.close();
    await watcher.client.settled();
    assert.equal(await watcher.hear('ann'), 'offer');
    await client.message(handle, { kind: 'data', body: 'still here', whom: 'watcher' });
    await watcher.client.settled();
    const told = watcher.heard();
    assert.deepEqual(
      told.filter((one) => one.startsWith('leave')),
      [],
    );
    assert.deepEqual(
      told.filter((one) => one.startsWith('data')),
      ['data I am back', 'data still here'],
    );
    await client.close();
    await watcher.client.until((one) => dataOf(one).event === 'leave', 'leave');
    assert.equal(watcher.heard().filter((one) => one === 'leave ann').length, 1);
    await watcher.client.close();
  });
});

describe('a refusal', () => {
  test('A8: of a kick from a token for another room is a line of the log, without the token', async () => {
    const foreign = token({ kick_users: true, room_ids: ['elsewhere'], user_id: 'eve' });
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const body = { kind: 'kick', room_id: 'stage', user_id: 'victim', token: foreign };
    assert.equal(refusalOf(await client.message(handle, body)), 'Rejecting kick without permission!');
    await client.close();
    assert.match(server.output(), /info refused .*kind="kick" fromRoom="stage" whom="victim" .*without permission/);
    assert.ok(!server.output().includes(foreign.slice(30, 90)));
  });
});
