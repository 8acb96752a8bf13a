import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JanusRefusal, NoAnswer, SessionLost, TooManyRequests } from '../../src/client/errors.js';
import { Requests } from '../../src/client/requests.js';
import type { PluginEvent } from '../../src/janus/wire.js';

const LIMITS = { answerTimeoutMs: 1_000, waitingMax: 10, queuedMax: 5 };

/** Notes a message and returns its transaction. */
function message(requests: Requests, now = 0): { reply: Promise<unknown>; transaction: string } {
  const reply = requests.add('message', { handle_id: 7, body: { kind: 'block', whom: 'eve' } }, now);
  const [sent] = requests.takeQueued();
  assert.ok(sent);
  return { reply, transaction: sent.transaction };
}

const answer = (transaction: string): PluginEvent => ({
  janus: 'event',
  session_id: 1,
  sender: 7,
  transaction,
  plugindata: { plugin: 'janus.plugin.sfu', data: { success: true } },
});

test('requests are sent once, in their order, under transactions of their own', () => {
  const requests = new Requests(LIMITS);
  void requests.add('attach', { plugin: 'janus.plugin.sfu', opaque_id: 'me' }, 0);
  void requests.add('keepalive', {}, 0);
  assert.deepEqual(requests.takeQueued(), [
    { janus: 'attach', transaction: '1', plugin: 'janus.plugin.sfu', opaque_id: 'me' },
    { janus: 'keepalive', transaction: '2' },
  ]);
  assert.deepEqual(requests.takeQueued(), []);
});

test('a message is answered by its event and not by the ack before it', async () => {
  const requests = new Requests(LIMITS);
  const { reply, transaction } = message(requests);
  assert.ok(requests.settle({ janus: 'ack', session_id: 1, transaction }));
  assert.equal(requests.size, 1);
  assert.ok(requests.settle(answer(transaction)));
  assert.deepEqual(await reply, answer(transaction));
  assert.equal(requests.size, 0);
});

test('any other verb is answered by its ack', async () => {
  const requests = new Requests(LIMITS);
  const reply = requests.add('keepalive', {}, 0);
  requests.takeQueued();
  requests.settle({ janus: 'ack', session_id: 1, transaction: '1' });
  assert.equal((await reply).janus, 'ack');
});

test('an error reply rejects with its code and the server’s words', async () => {
  const requests = new Requests(LIMITS);
  const { reply, transaction } = message(requests);
  requests.settle({ janus: 'error', transaction, error: { code: 458, reason: 'No such session 5' } });
  await assert.rejects(reply, (error) => {
    assert.ok(error instanceof JanusRefusal);
    assert.deepEqual([error.code, error.janusCode, error.sessionUnknown], ['janus-error', 458, true]);
    assert.match(error.message, /refused "message": No such session 5/);
    return true;
  });
});

test('replies to nothing that waits are not taken', () => {
  const requests = new Requests(LIMITS);
  const { transaction } = message(requests);
  assert.ok(requests.settle(answer(transaction)));
  assert.equal(requests.settle(answer(transaction)), false);
  assert.equal(requests.settle(answer('999')), false);
  assert.equal(requests.settle({ janus: 'error', error: { code: 454, reason: 'Invalid JSON' } }), false);
});

test('a request fails when its time is over, and the next deadline is told', async () => {
  const requests = new Requests(LIMITS);
  const { reply } = message(requests, 100);
  const unsent = requests.add('detach', { handle_id: 7 }, 400);
  assert.equal(requests.expire(1_099), 1_100);
  assert.equal(requests.expire(1_100), 1_400);
  await assert.rejects(reply, (error) => error instanceof NoAnswer && /"message": 1 s passed\.$/.test(error.message));
  assert.equal(requests.expire(2_000), null);
  await assert.rejects(unsent, /"detach": 1 s passed without a connection/);
});

test('after the connection broke messages wait for their events, and all else is sent again', async () => {
  const requests = new Requests(LIMITS);
  const { reply, transaction } = message(requests);
  void requests.add('trickle', { handle_id: 7, candidate: { completed: true } }, 0);
  void requests.add('attach', { plugin: 'janus.plugin.sfu' }, 0);
  const sent = requests.takeQueued();
  requests.interrupt();
  assert.deepEqual(requests.takeQueued(), sent);
  requests.settle(answer(transaction));
  assert.deepEqual(await reply, answer(transaction));
});

test('a claim fails with its connection', async () => {
  const requests = new Requests(LIMITS);
  const { request, reply } = requests.addSent('claim', 0);
  assert.deepEqual(request, { janus: 'claim', transaction: '1' });
  requests.interrupt();
  await assert.rejects(reply, NoAnswer);
  assert.deepEqual(requests.takeQueued(), []);
});

test('there are bounds to what waits for answers, and to what waits for a connection', () => {
  const requests = new Requests(LIMITS);
  for (let index = 0; index < LIMITS.queuedMax; index += 1) void requests.add('keepalive', {}, 0);
  assert.throws(() => requests.add('keepalive', {}, 0), TooManyRequests);
  requests.takeQueued();
  for (let index = 0; index < LIMITS.queuedMax; index += 1) void requests.add('keepalive', {}, 0);
  requests.takeQueued();
  assert.throws(() => requests.add('keepalive', {}, 0), /10 requests wait for answers/);
  assert.equal(requests.size, LIMITS.waitingMax);
});

test('all that waits fails together with the session', async () => {
  const requests = new Requests(LIMITS);
  const replies = [message(requests).reply, requests.add('keepalive', {}, 0)];
  requests.fail(new SessionLost());
  for (const reply of replies) await assert.rejects(reply, SessionLost);
  assert.equal(requests.size, 0);
});
