/** Who somebody is: tokens, impostors, zombies, kicks (threats.md A5 to A9, and the holes a to d and h of the reference). */
// Runs beside others: it waits for servers of its own, and measures nothing.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { JanusClient, refusalOf } from '../support/janus-client.js';
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

async function kick(room: string, user: string): Promise<void> {
  const client = await JanusClient.connect(server.wsUrl);
  const handle = await client.attach(await client.create());
  const body = { kind: 'kick', room_id: room, user_id: user, token: KICK };
  assert.equal(refusalOf(await client.message(handle, body)), null);
  await client.close();
}

describe('a kicked user', () => {
  test('can not come back with the same token, in no room, nor after a restart; with a new one it can', async () => {
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
