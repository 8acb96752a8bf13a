/** The Admin API (janus-api.md 8), over both transports: who may ask, and for what. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { ADMIN_SECRET, type Ask, logged, type Reply } from '../support/admin-client.js';
import { PLUGIN, usingAdmin } from '../support/admin-suite.js';
import { startServer } from '../support/server.js';

const suite = usingAdmin();
const { both, errorOf } = suite;

const UNAUTHORIZED = { code: 403, reason: 'Unauthorized request (wrong or missing secret/token)' };

describe('who may ask', () => {
  const wrong = [undefined, null, '', 'wrong', `${ADMIN_SECRET} `, ADMIN_SECRET.slice(1), 7, true, [ADMIN_SECRET], {}];

  for (const secret of wrong) {
    test(`a request with the secret ${JSON.stringify(secret)} gets 403, whatever it asks for`, async () => {
      const session = await suite.client.create();
      const { id: handle } = await suite.client.attach(session);
      for (const fields of [
        { janus: 'list_sessions' },
        { janus: 'no such verb' },
        { janus: 'set_log_level', level: 'wrong' },
        { janus: 'list_handles', session_id: session },
        { janus: 'list_handles', session_id: 1 },
        { janus: 'handle_info', session_id: session, handle_id: handle },
        { janus: 'handle_info', session_id: session, handle_id: 1 },
        { janus: 'ping', session_id: session },
      ]) {
        assert.deepEqual(await errorOf({ ...fields, admin_secret: secret }), UNAUTHORIZED, JSON.stringify(fields));
      }
    });
  }

  test('ping and info need no secret', async () => {
    assert.equal((await both({ janus: 'ping', admin_secret: undefined })).janus, 'pong');
    const info = await both({ janus: 'info', admin_secret: 'wrong' });
    assert.equal(info.janus, 'server_info');
    assert.ok(typeof info.plugins === 'object' && info.plugins && PLUGIN in info.plugins);
  });

  test('an own property counts, not one of every object’s prototype', async () => {
    for (const verb of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const reason = `Unhandled request '${verb}' at this path`;
      assert.deepEqual(await errorOf({ janus: verb }), { code: 457, reason });
    }
  });

  test('the secret is in no line of the log', async () => {
    await errorOf({ janus: 'list_sessions', admin_secret: 'a guess' });
    await logged(suite.server, /an admin request without the secret .*verb="list_sessions"/);
    assert.ok(!suite.server.output().includes(ADMIN_SECRET));
    assert.ok(!suite.server.output().includes('a guess'));
  });

  test('without ADMIN_SECRET there is no Admin API', async () => {
    const plain = await startServer();
    try {
      assert.equal(plain.adminUrl, null);
      const response = await fetch(`${plain.httpUrl}/admin/info`);
      assert.notEqual(response.headers.get('content-type'), 'application/json');
      const socket = new WebSocket(plain.wsUrl, 'janus-admin-protocol');
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
        socket.on('open', () => resolve('open'));
        socket.on('error', () => {});
      });
      assert.equal(status, 400);
    } finally {
      assert.equal(await plain.stop(), 0);
    }
  });
});

describe('the envelope', () => {
  test('is checked before the secret', async () => {
    const reply = async (message: object) => {
      const from = suite.admin.received.length;
      suite.admin.send(message);
      return suite.admin.until(({ janus }) => janus === 'error', 'an error', from);
    };
    const missing = (element: string) => ({ code: 456, reason: `Missing mandatory element (${element})` });
    const wrong = (element: string) => ({ code: 467, reason: `Invalid element type (${element} should be a string)` });
    assert.deepEqual((await reply({ janus: 'list_sessions' })).error, missing('transaction'));
    assert.deepEqual((await reply({ transaction: 'x' })).error, missing('janus'));
    assert.deepEqual((await reply({ transaction: 7, janus: 'ping' })).error, wrong('transaction'));
    assert.deepEqual((await reply({ transaction: 'x', janus: 7 })).error, wrong('janus'));
    assert.deepEqual((await reply([])).error, missing('transaction'));
  });

  test('of a WebSocket message that is no JSON is missing its transaction', async () => {
    const from = suite.admin.received.length;
    suite.admin.socket.send('{"janus":"ping",');
    const { error } = await suite.admin.until(({ janus }) => janus === 'error', 'an error', from);
    assert.equal(error?.code, 456);
  });

  test('may have any id: it means nothing here', async () => {
    for (const id of [-1, 'x', null, {}]) assert.equal((await both({ janus: 'list_sessions', id })).janus, 'success');
  });

  test('of a GET that is not info or ping has no payload', async () => {
    const response = await fetch(suite.server.adminUrl ?? '');
    const reply = (await response.json()) as Reply;
    assert.deepEqual(reply.error, { code: 454, reason: 'Request payload missing' });
    for (const [path, janus] of [
      ['info', 'server_info'],
      ['ping', 'pong'],
    ]) {
      const found = (await (await fetch(`${suite.server.adminUrl}/${path}`)).json()) as Reply;
      assert.equal(found.janus, janus);
    }
    const posted = await fetch(`${suite.server.adminUrl}/info`, { method: 'POST', body: '{}' });
    const { error } = (await posted.json()) as Reply;
    assert.deepEqual(error, { code: 450, reason: 'Use GET for the info endpoint' });
  });
});

describe('what is addressed', () => {
  test('is checked session first, then handle, then verb', async () => {
    const session = await suite.client.create();
    const { id: handle } = await suite.client.attach(session);
    assert.deepEqual(await errorOf({ janus: 'x', session_id: 5 }), { code: 458, reason: 'No such session 5' });
    assert.deepEqual(await errorOf({ janus: 'x', session_id: 5, handle_id: handle }), {
      code: 458,
      reason: 'No such session 5',
    });
    const noHandle = { code: 459, reason: `No such handle 5 in session ${session}` };
    assert.deepEqual(await errorOf({ janus: 'x', session_id: session, handle_id: 5 }), noHandle);
    const unhandled = { code: 457, reason: "Unhandled request 'x' at this path" };
    assert.deepEqual(await errorOf({ janus: 'x', session_id: session, handle_id: handle }), unhandled);
    assert.deepEqual(await errorOf({ janus: 'x', session_id: session }), unhandled);
    assert.deepEqual(await errorOf({ janus: 'x' }), unhandled);
  });

  test('must fit the verb: one of the server, of a session, of a handle', async () => {
    const session = await suite.client.create();
    const { id: handle } = await suite.client.attach(session);
    const places = { server: {}, session: { session_id: session }, handle: { session_id: session, handle_id: handle } };
    for (const [verb, at] of [
      ['list_sessions', 'server'],
      ['get_status', 'server'],
      ['kick', 'server'],
      ['list_handles', 'session'],
      ['destroy_session', 'session'],
      ['handle_info', 'handle'],
      ['detach_handle', 'handle'],
      ['hangup_webrtc', 'handle'],
      ['ping', 'server'],
      ['info', 'server'],
    ]) {
      for (const [place, ids] of Object.entries(places)) {
        if (place !== at) assert.equal((await errorOf({ janus: verb, ...ids })).code, 457, `${verb} at a ${place}`);
      }
    }
  });

  test('is no session if an id is 0', async () => {
    const session = await suite.client.create();
    const { ask } = suite.asks[1] as { ask: Ask };
    for (const ids of [
      { session_id: session, handle_id: 0 },
      { handle_id: 5 },
      { session_id: session, handle_id: 'x' },
      { session_id: session, handle_id: null },
    ]) {
      const { error } = await ask({ janus: 'handle_info', ...ids });
      assert.deepEqual(error, { code: 458, reason: 'Session not found' });
    }
    for (const ids of [{ session_id: 0, handle_id: 0 }, { handle_id: 'x' }, { handle_id: null }]) {
      assert.equal((await ask({ janus: 'ping', ...ids })).janus, 'pong');
    }
  });
});
