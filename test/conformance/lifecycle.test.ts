/** How the server starts and ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { JanusClient } from '../support/janus-client.js';
import { startServer } from '../support/server.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-lifecycle-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(env: Record<string, string>): Promise<string> {
  try {
    const server = await startServer({ env });
    await server.stop();
  } catch (error) {
    return String(error);
  }
  return 'it started';
}

describe('a start', () => {
  test('with wrong settings ends with code 2 and a line for each', async () => {
    const said = await refusal({ MAX_ROOM_SIZE: 'many', PLACEMENT: 'random', SESSION_TIMEOUT: '-1' });
    assert.match(said, /ended with code 2/);
    assert.match(said, /janus-sfu: MAX_ROOM_SIZE="many": should be a whole number/);
    assert.match(said, /janus-sfu: PLACEMENT="random": should be one of auto, spread, together/);
    assert.match(said, /janus-sfu: SESSION_TIMEOUT="-1": should be a number of seconds/);
  });

  test('A4: with a key that can not be used is refused: never without a check by accident', async () => {
    const empty = path.join(folder, 'empty.der');
    writeFileSync(empty, '');
    for (const [file, reason] of [
      [path.join(folder, 'missing.der'), /AUTH_KEY=.*the file can not be read \(ENOENT\)/],
      [folder, /AUTH_KEY=.*the file can not be read \(EISDIR\)/],
      [empty, /AUTH_KEY=.*neither a public RSA key/],
    ] as const) {
      const said = await refusal({ AUTH_KEY: file });
      assert.match(said, reason);
      assert.match(said, /ended with code 2/);
    }
  });

  test('on a port that is taken says so', async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const said = await refusal({ WS_PORT: port });
    taken.close();
    assert.match(said, /ended with code 1/);
    assert.match(said, new RegExp(`EADDRINUSE.*${port}`));
  });

  test('with settings that are probably not meant so goes on, and warns without saying secrets', async () => {
    const env = { ADMIN_SECRET: 'janusoverlord', PUBLIC_IP: '192.168.7.7', MESSAGE_THREADS: '3' };
    const server = await startServer({ env });
    assert.match(
      server.output(),
      /warn a setting deserves a look setting="ADMIN_SECRET" reason="is a well-known example/,
    );
    assert.match(server.output(), /setting="PUBLIC_IP" reason="192\.168\.7\.7 is private/);
    assert.match(server.output(), /setting="MESSAGE_THREADS" reason="has no effect/);
    assert.doesNotMatch(server.output(), /janusoverlord/);
    assert.equal(await server.stop(), 0);
  });
});

describe('an end', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`by ${signal} tells the clients, closes with 1012 and exits with 0 (hole o)`, async () => {
      const server = await startServer();
      const client = await JanusClient.connect(server.wsUrl);
      const ann = await client.join('r', 'ann', { data: true });
      const bob = await client.attach(ann.session);
      const body = { kind: 'join', room_id: 'r', user_id: 'bob', subscribe: { media: 'ann' } };
      assert.equal((await client.message(bob, body)).jsep?.type, 'offer');
      const closed = once(client.socket, 'close');
      const started = performance.now();
      server.process.kill(signal);
      const [code] = await closed;
      assert.equal(code, 1012);
      const told = client.received.find((one) => one.janus === 'hangup');
      assert.deepEqual([told?.sender, told?.reason], [bob.id, 'Close PC']);
      assert.equal(await server.stop(), 0, server.output());
      assert.ok(performance.now() - started < 10_000);
    });
  }

  test('refuses who comes meanwhile', async () => {
    const server = await startServer();
    const client = await JanusClient.connect(server.wsUrl);
    server.process.kill('SIGTERM');
    await once(client.socket, 'close');
    const late = new WebSocket(server.wsUrl, 'janus-protocol');
    const [error] = await once(late, 'error');
    assert.match(String(error), /ECONNREFUSED|503|hang up/);
    assert.equal(await server.stop(), 0);
  });

  test('F7: and a new start keep the blocks, after a SIGKILL too (hole i)', async () => {
    const data = path.join(folder, 'kept');
    mkdirSync(data);
    const env = { BLOCK_STORE: 'lmdb', DATA_DIR: data };
    for (const [round, end] of (['SIGTERM', 'SIGKILL', 'none'] as const).entries()) {
      const server = await startServer({ env });
      const client = await JanusClient.connect(server.wsUrl);
      const ann = await client.join('r', 'ann', { data: true });
      for (let index = 0; index < round; index += 1) {
        const blocked = await client.join('r', `bob${index}`, { data: true });
        await client.message(ann, { kind: 'data', body: 'unheard' });
        await client.settled();
        assert.deepEqual(client.pushed(blocked), [], `the block of round ${index} holds in round ${round}`);
      }
      const reply = await client.message(ann, { kind: 'block', whom: `bob${round}` });
      assert.equal(reply.plugindata?.data.success, true);
      if (end === 'SIGKILL') server.process.kill('SIGKILL');
      assert.equal(await server.stop(), end === 'SIGKILL' ? -1 : 0);
    }
  });
});
