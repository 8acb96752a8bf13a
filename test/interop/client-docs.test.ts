/** The example for Node of docs/client.md, as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Room } from '../../src/client/index.js';
import { examplesOf } from '../support/examples.js';
import { keptSockets } from '../support/kept-sockets.js';
import { projectRoot } from '../support/project.js';
import { startServer } from '../support/server.js';

/** An event that does not come is a failure, and not a test without an end. */
const LIMIT = { timeout: 60_000 };

test('the example for Node greets who comes in, and shows what they say', LIMIT, async () => {
  const code = examplesOf('docs/client.md').find((example) => example.includes("from 'ws'"));
  assert.ok(code);
  const server = await startServer();
  const built = new URL('../../src/client/index.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code.replace('janus-sfu/client', built)], {
    cwd: projectRoot,
    env: { ...process.env, SFU_URL: server.wsUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { WebSocket } = keptSockets();
  const room = new Room({ url: server.wsUrl, room: 'garden', user: 'ada', WebSocket });
  try {
    assert.equal((await lines.next()).value, 'in the garden: nobody');
    const greeting = room.next('data');
    await room.enter();
    assert.deepEqual(await greeting, { event: 'data', from: 'greeter', body: 'Welcome, ada!' });
    await room.sendData('thank you');
    assert.equal((await lines.next()).value, 'ada: thank you');
  } finally {
    room.leave();
    child.kill();
    await ended;
    await server.stop();
  }
});
