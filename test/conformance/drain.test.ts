/** SIGTERM with DRAIN_TIMEOUT: those who are there go on, nobody new comes in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { ADMIN_SECRET, adminOverHttp } from '../support/admin-client.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const LIMIT = { timeout: 90_000 };

/** Resolves when the server has logged a line. */
async function logged(server: RunningServer, line: RegExp): Promise<void> {
  while (!line.test(server.output())) await once(server.process.stderr ?? server.process, 'data');
}

/** Sends SIGTERM, and waits until the server drains. */
async function drain(server: RunningServer): Promise<void> {
  server.process.kill('SIGTERM');
  await logged(server, /draining: no new sessions are taken/);
}

async function readiness(server: RunningServer) {
  const response = await fetch(`${server.httpUrl}/readyz`);
  return [response.status, ((await response.json()) as { reasons?: string[] }).reasons ?? []];
}

/** The status that a WebSocket handshake gets instead of a socket. */
async function refusal(url: string): Promise<number> {
  const socket = new WebSocket(url, 'janus-protocol');
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  return response.statusCode;
}

describe('a server that is drained', () => {
  test('is not ready and refuses new sessions, while those that there are go on until they end', LIMIT, async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '60', ADMIN_SECRET } });
    const ann = await JanusClient.connect(server.wsUrl);
    const handle = await ann.join('lobby', 'ann', { data: true });
    const exited = once(server.process, 'exit');
    await drain(server);
    assert.deepEqual(await readiness(server), [503, ['no new sessions are taken']]);
    assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
    assert.equal(await refusal(server.wsUrl), 503);
    const { error } = await ann.request({ janus: 'create' });
    assert.equal(error?.code, 472);
    const posted = await fetch(`${server.httpUrl}/janus`, {
      method: 'POST',
      body: '{"janus":"create","transaction":"a"}',
    });
    assert.equal(((await posted.json()) as { error: { code: number } }).error.code, 472);
    // The operator's word does not open what is about to end.
    await adminOverHttp(server)({ janus: 'accept_new_sessions', accept: true });
    assert.equal((await ann.request({ janus: 'create' })).error?.code, 472);
    assert.equal((await ann.toHandle(handle, { janus: 'message', body: { kind: 'data', body: 'x' } })).janus, 'ack');
    assert.equal((await ann.attach(handle.session)).session, handle.session, 'a session may have new handles');
    const startedAt = performance.now();
    await ann.request({ janus: 'destroy', session_id: handle.session });
    const [code] = await exited;
    assert.deepEqual([code, performance.now() - startedAt < 20_000], [0, true], server.output());
    assert.match(server.output(), /drained reason="no sessions are left"/);
  });

  test('says goodbye at the deadline, and ends with code 0', LIMIT, async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '1' } });
    const ann = await JanusClient.connect(server.wsUrl);
    await ann.join('lobby', 'ann', { data: true });
    const exited = once(server.process, 'exit');
    const closed = once(ann.socket, 'close');
    const startedAt = performance.now();
    await drain(server);
    assert.equal((await closed)[0], 1012);
    const took = performance.now() - startedAt;
    assert.ok(took >= 900, `${took} ms`);
    assert.equal((await exited)[0], 0, server.output());
    assert.match(server.output(), /drained reason="the time is over"/);
  });

  test('says goodbye at once after a second signal, still with code 0', LIMIT, async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '60' } });
    const ann = await JanusClient.connect(server.wsUrl);
    await ann.join('lobby', 'ann', { data: true });
    const exited = once(server.process, 'exit');
    const closed = once(ann.socket, 'close');
    await drain(server);
    const startedAt = performance.now();
    server.process.kill('SIGINT');
    assert.deepEqual([(await closed)[0], (await exited)[0]], [1012, 0], server.output());
    assert.ok(performance.now() - startedAt < 20_000);
    assert.match(server.output(), /drained reason="another SIGINT"/);
  });

  test('ends at once where nobody is', LIMIT, async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '60' } });
    const startedAt = performance.now();
    assert.equal(await server.stop(), 0);
    assert.ok(performance.now() - startedAt < 20_000);
  });

  test('lets clients back that come to claim their session', LIMIT, async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '60', RECLAIM_SESSION_TIMEOUT: '30' } });
    const ann = await JanusClient.connect(server.wsUrl);
    const { session } = await ann.join('lobby', 'ann', { data: true });
    await drain(server);
    ann.socket.terminate();
    await once(ann.socket, 'close');
    const again = await JanusClient.connect(server.wsUrl);
    assert.equal((await again.request({ janus: 'claim', session_id: session })).janus, 'success');
    assert.equal((await again.request({ janus: 'create' })).error?.code, 472);
    const exited = once(server.process, 'exit');
    await again.request({ janus: 'destroy', session_id: session });
    assert.equal((await exited)[0], 0);
  });
});
