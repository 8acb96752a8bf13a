/** Webhooks of the real server, to a real receiver. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { signToken } from '../../src/sfu/token.js';
import { ADMIN_SECRET, adminOverHttp, logged } from '../support/admin-client.js';
import { runCommand } from '../support/command.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { JanusClient } from '../support/janus-client.js';
import { startServer } from '../support/server.js';
import { isSigned, WebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = 'known to both, and to nobody else';

let receiver: WebhookReceiver;
const opened: WebhookReceiver[] = [];
after(() => Promise.all(opened.map((one) => one.close())));
beforeEach(async () => {
  receiver = new WebhookReceiver();
  opened.push(receiver);
  await receiver.listen();
});

const start = (env: Record<string, string> = {}) =>
  startServer({ env: { ADMIN_SECRET, WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, ...env } });

const join = (room: string, user: string, token?: string) => ({
  kind: 'join',
  room_id: room,
  user_id: user,
  token,
  subscribe: { data: true },
});

describe('webhooks', () => {
  test('tell of joins, kicks, a full room, leaves and an empty room, in order, signed, with ids and nothing else', async () => {
    const server = await start({ SERVER_NAME: 'east', MAX_ROOM_SIZE: '2' });
    try {
      const client = await JanusClient.connect(server.wsUrl);
      const session = await client.create();
      const [ann, more, bob, eve] = await Promise.all([0, 1, 2, 3].map(() => client.attach(session)));
      assert.ok(ann && more && bob && eve);
      const token = 'a token that is nobody’s business';
      await client.message(ann, join('lobby', 'ann', token));
      // A second handle of the same user, as subscribers have them, is no second join.
      await client.message(more, { ...join('lobby', 'ann', token), subscribe: {} });
      await client.message(bob, join('lobby', 'bob', token));
      for (let i = 0; i < 3; i += 1) await client.message(eve, join('lobby', 'eve', token));
      await adminOverHttp(server)({ janus: 'kick', room_id: 'lobby', user_id: 'bob' });
      await client.toHandle(ann, { janus: 'detach' });
      await client.close();
      await receiver.until(() => receiver.lines().includes('room-empty lobby'), 'the last event');
      assert.deepEqual(receiver.lines(), [
        'join lobby ann',
        'join lobby bob',
        'room-full lobby eve',
        'kick lobby bob',
        'leave lobby bob',
        'leave lobby ann',
        'room-empty lobby',
      ]);
      for (const [index, one] of receiver.received.entries()) {
        const { id, timestamp, type, data, ...rest } = one.event;
        assert.ok(isSigned(one, SECRET));
        assert.match(id, /^[\da-f-]{36}$/);
        assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
        assert.deepEqual(rest, { server: 'east', sequence: index + 1 });
        const fields = type === 'room-empty' ? ['room_id'] : ['room_id', 'user_id', ...(type === 'kick' ? ['by'] : [])];
        assert.deepEqual(Object.keys(data), fields);
        assert.doesNotMatch(one.body, /token|127\.0\.0\.1|sdp/);
      }
      assert.equal(receiver.received[3]?.event.data.by, null);
      const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
      assert.equal(sampleOf(readExposition(text), 'janus_sfu_webhooks_total', { outcome: 'delivered' }), 7);
    } finally {
      await server.stop();
    }
  });

  test('say who kicked', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-webhooks-'));
    const file = path.join(folder, 'public.pem');
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(file, keys.publicKey.export({ type: 'spki', format: 'pem' }));
    const now = Math.floor(Date.now() / 1000);
    const grant = { joinHub: true, kickUsers: true, rooms: null, user: null };
    const token = signToken(grant, keys.privateKey, now, now + 600);
    const server = await start({ AUTH_KEY: file });
    try {
      const [client, other] = await Promise.all([0, 1].map(() => JanusClient.connect(server.wsUrl)));
      assert.ok(client && other);
      const ann = await client.join('lobby', 'ann', { data: true }, token);
      await other.join('lobby', 'bob', { data: true }, token);
      await client.message(ann, { kind: 'kick', room_id: 'lobby', user_id: 'bob', token });
      await receiver.until(() => receiver.lines().includes('kick lobby bob'), 'the kick');
      const kick = receiver.received.find(({ event }) => event.type === 'kick');
      assert.deepEqual(kick?.event.data, { room_id: 'lobby', user_id: 'bob', by: 'ann' });
      assert.ok(receiver.received.every(({ body }) => !body.includes(token)));
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  });

  test('to a receiver that does not answer delay no client', async () => {
    receiver.answer = () => {};
    const server = await start();
    try {
      const client = await JanusClient.connect(server.wsUrl);
      const session = await client.create();
      const start = performance.now();
      for (let i = 0; i < 20; i += 1) {
        const handle = await client.attach(session);
        await client.message(handle, join('lobby', `user ${i}`));
      }
      assert.ok(performance.now() - start < 10_000, `${performance.now() - start} ms for 20 joins`);
      assert.equal(receiver.received.length, 1);
    } finally {
      await server.stop();
    }
  });

  test('tell the last leaves when the server ends, and hold it up no longer than 2 s', async () => {
    const server = await start();
    const client = await JanusClient.connect(server.wsUrl);
    await client.join('lobby', 'ann', { data: true });
    assert.equal(await server.stop(), 0);
    assert.deepEqual(receiver.lines(), ['join lobby ann', 'leave lobby ann', 'room-empty lobby']);

    const stuck = await start();
    const other = await JanusClient.connect(stuck.wsUrl);
    receiver.answer = () => {};
    await other.join('lobby', 'bob', { data: true });
    const begun = performance.now();
    assert.equal(await stuck.stop(), 0);
    assert.ok(performance.now() - begun < 12_000, `${performance.now() - begun} ms`);
    assert.match(stuck.output(), /webhook events are lost: the server ended events=3/);
  });

  test('that fail are said once in the log, without the address of the receiver', async () => {
    receiver.answer = (response) => void response.writeHead(500).end();
    const server = await start({ WEBHOOK_URL: `${receiver.url}?key=hidden` });
    try {
      const client = await JanusClient.connect(server.wsUrl);
      await client.join('lobby', 'ann', { data: true });
      await logged(server, /the webhook receiver fails/);
      await receiver.until(() => receiver.received.length >= 3, 'retries');
      assert.equal(server.output().match(/the webhook receiver fails/g)?.length, 1);
      assert.doesNotMatch(server.output(), /hidden/);
    } finally {
      await server.stop();
    }
  });
});

describe('settings of webhooks', () => {
  test('that could not work are refused at the start', async () => {
    for (const [env, says] of [
      [{ WEBHOOK_URL: 'https://example.org/' }, /WEBHOOK_URL: needs WEBHOOK_SECRET/],
      [{ WEBHOOK_SECRET: 'x' }, /WEBHOOK_SECRET: needs WEBHOOK_URL/],
      [{ WEBHOOK_URL: 'https://example.org/', WEBHOOK_SECRET: 'whsec_' }, /WEBHOOK_SECRET="\*+": should be text, or/],
      [{ WEBHOOK_URL: 'https://example.org/', WEBHOOK_SECRET: 'whsec_no base64 here' }, /WEBHOOK_SECRET=/],
      [{ WEBHOOK_URL: 'ftp://example.org/', WEBHOOK_SECRET: 'x' }, /WEBHOOK_URL="ftp:.*should be an address/],
      [{ WEBHOOK_URL: 'https://me:word@example.org/', WEBHOOK_SECRET: 'x' }, /should be an address/],
    ] as const) {
      const { code, stderr } = await runCommand(['--print-config'], { env });
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });
});
