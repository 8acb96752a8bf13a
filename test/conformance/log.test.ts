/** What the log says of users: a line each, with ids, and nothing that is nobody's business. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signToken } from '../../src/sfu/token.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-log-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const now = Math.floor(Date.now() / 1000);
const grant = { joinHub: true, kickUsers: true, rooms: null, user: null };
const token = signToken(grant, keys.privateKey, now, now + 600);

let server: RunningServer;
before(async () => {
  const file = path.join(folder, 'public.pem');
  writeFileSync(file, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  server = await startServer({ env: { AUTH_KEY: file, LOG_FORMAT: 'json' } });
});
after(() => server.stop());

/** The log's lines so far, without what differs from run to run. */
function lines(): Record<string, unknown>[] {
  const json = server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  return json.map((line) => {
    const { time, handle, ...rest } = JSON.parse(line);
    assert.equal(typeof time, 'number');
    if (rest.msg !== 'shutting down') assert.equal(typeof handle, 'number');
    return rest;
  });
}

test('A9: joins, blocks, kicks, leaves and refusals are a line each, with ids and without tokens or descriptions', async () => {
  const client = await JanusClient.connect(server.wsUrl);
  const session = await client.create();
  const [ann, bob, eve] = [await client.attach(session), await client.attach(session), await client.attach(session)];
  const join = (user: string) => ({ kind: 'join', room_id: 'r', user_id: user, token, subscribe: { data: true } });
  await client.message(ann, join('ann'));
  await client.message(bob, join('bob'));
  await client.message(eve, { ...join('eve'), token: `${token.slice(0, -8)}AAAAAAAA` });
  await client.message(eve, { ...join('eve'), kind: 'dance' });
  await client.message(ann, { kind: 'block', whom: 'bob' });
  await client.message(ann, { kind: 'unblock', whom: 'bob' });
  await client.message(ann, { kind: 'data', body: 'a secret between friends' });
  await client.message(ann, { kind: 'kick', room_id: 'r', user_id: 'bob', token });
  await client.toHandle(ann, { janus: 'detach' });
  await client.close();
  assert.equal(await server.stop(), 0);
  const kinds = 'join, subscribe, kick, block, unblock, data';
  assert.deepEqual(lines(), [
    { level: 'info', room: 'r', user: 'ann', publisher: true, media: null, msg: 'joined' },
    { level: 'info', room: 'r', user: 'bob', publisher: true, media: null, msg: 'joined' },
    {
      level: 'info',
      room: 'r',
      user: 'eve',
      kind: 'join',
      media: null,
      reason: 'Rejecting join with invalid token!',
      msg: 'refused',
    },
    {
      level: 'info',
      room: null,
      user: null,
      reason: `The field kind should be one of ${kinds} (got "dance").`,
      msg: 'refused',
    },
    { level: 'info', room: 'r', user: 'ann', whom: 'bob', msg: 'blocked' },
    { level: 'info', room: 'r', user: 'ann', whom: 'bob', msg: 'unblocked' },
    { level: 'info', room: 'r', user: 'bob', msg: 'left' },
    { level: 'info', room: 'r', user: 'bob', by: 'ann', handles: 1, msg: 'kicked' },
    { level: 'info', room: 'r', user: 'ann', msg: 'left' },
    { level: 'info', signal: 'SIGTERM', msg: 'shutting down' },
  ]);
  assert.ok(!server.output().includes(token.slice(20, 60)));
  assert.doesNotMatch(server.output(), /v=0|a=|secret between/);
});
