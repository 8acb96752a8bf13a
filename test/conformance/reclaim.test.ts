/** Sessions whose connection is gone, or that change hands (janus-api.md 1.3, 1.4 and 4; threats.md W12 and W13). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { logged } from '../support/admin-client.js';
import { type ClientHandle, dataOf, JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

/** Seconds. A session that is away is looked for once a second. */
const RECLAIM = 2;
const QUEUE = 5;

let server: RunningServer;
before(async () => {
  server = await startServer({
    env: { RECLAIM_SESSION_TIMEOUT: String(RECLAIM), SESSION_TIMEOUT: '3', EVENT_QUEUE_MAX: String(QUEUE) },
  });
});
after(async () => assert.equal(await server.stop(), 0, server.output()));

let rooms = 0;

/** A room with a user who stays and one who is about to lose the connection. */
async function meet() {
  rooms += 1;
  const room = `room ${rooms}`;
  const subscription = { data: true, notifications: true };
  const walt = await JanusClient.connect(server.wsUrl);
  const stays = await walt.join(room, `walt of ${room}`, subscription);
  const alice = await JanusClient.connect(server.wsUrl);
  const leaves = await alice.join(room, `alice of ${room}`, subscription);
  const say = (body: string) => walt.message(stays, { kind: 'data', body });
  return { walt, stays, alice, leaves, say };
}

/** The connection is cut, and the server has seen it. */
async function cut(client: JanusClient): Promise<void> {
  const closed = once(client.socket, 'close');
  client.socket.close(4000);
  await closed;
}

const bodies = (client: JanusClient, handle: ClientHandle) =>
  client.pushed(handle).map(({ body, event }) => body ?? event);

describe('a session whose connection is gone', () => {
  test('is claimed by another one, which gets what happened meanwhile, in order, after the success', async () => {
    const { walt, alice, leaves, say } = await meet();
    await cut(alice);
    for (const text of ['one', 'two', 'three']) await say(text);
    const back = await JanusClient.connect(server.wsUrl);
    assert.equal((await back.request({ janus: 'claim', session_id: leaves.session })).janus, 'success');
    await say('four');
    await back.until((one) => dataOf(one).body === 'four', 'what came after the claim');
    assert.deepEqual(bodies(back, leaves), ['one', 'two', 'three', 'four']);
    assert.equal(back.received[0]?.janus, 'success', 'the reply to claim is first');
    const reply = await back.message(leaves, { kind: 'data', body: 'I am back' });
    assert.equal(dataOf(reply).success, true, 'its handles work as before');
    await Promise.all([walt.close(), back.close()]);
  });

  test('may be claimed for so long from the close, however long it was idle before', async () => {
    const { walt, alice, leaves } = await meet();
    // Longer without a request than a session may be away, shorter than the session's own timeout.
    await elapse((RECLAIM + 0.4) * 1000);
    await cut(alice);
    await elapse(RECLAIM * 300);
    const back = await JanusClient.connect(server.wsUrl);
    assert.equal((await back.request({ janus: 'claim', session_id: leaves.session })).janus, 'success');
    await Promise.all([walt.close(), back.close()]);
  });

  test('that nobody claims ends: the room is told, the id is unknown', async () => {
    const { walt, stays, alice, leaves } = await meet();
    const since = performance.now();
    await cut(alice);
    const keepalive = setInterval(
      () => walt.send({ janus: 'keepalive', transaction: 'k', session_id: stays.session }),
      500,
    );
    await walt.until((one) => dataOf(one).event === 'leave', 'the leave');
    clearInterval(keepalive);
    const took = (performance.now() - since) / 1000;
    assert.ok(took > RECLAIM - 0.2 && took < RECLAIM + 6, `after ${took} s`);
    const late = await walt.request({ janus: 'claim', session_id: leaves.session });
    assert.equal(late.error?.code, 458);
    await walt.close();
  });

  test(`W12: ends when more than ${QUEUE} of its events wait, and the log says why`, async () => {
    const { walt, alice, leaves, say } = await meet();
    await cut(alice);
    const gone = () => walt.received.some((one) => dataOf(one).event === 'leave');
    let said = 0;
    for (; !gone() && said < 3 * QUEUE; said += 1) await say(`event ${said}`);
    // What is said while the connection closes may be lost with it, and the leave takes a moment.
    assert.ok(gone() && said > QUEUE && said <= QUEUE + 3, `ended after ${said} events`);
    assert.equal((await walt.request({ janus: 'claim', session_id: leaves.session })).error?.code, 458);
    await logged(server, new RegExp(`too many of its events.*${leaves.session}`));
    await walt.close();
  });
});

describe('a session that is claimed from a living owner', () => {
  test('is the new one’s: events go there, the old one is told nothing and finds nothing', async () => {
    const { walt, alice, leaves, say } = await meet();
    const other = await JanusClient.connect(server.wsUrl);
    const before = alice.received.length;
    assert.equal((await other.request({ janus: 'claim', session_id: leaves.session })).janus, 'success');
    await say('to the new one');
    await other.until((one) => dataOf(one).body === 'to the new one', 'the event');
    await alice.settled();
    assert.equal(alice.received.length, before + 1, 'nothing but the pong');
    assert.equal((await alice.request({ janus: 'keepalive', session_id: leaves.session })).error?.code, 458);
    await alice.close();
    const again = await other.request({ janus: 'claim', session_id: leaves.session });
    assert.equal(
      again.janus,
      'success',
      'the old owner’s close does not end it, and to claim one’s own changes nothing',
    );
    await Promise.all([walt.close(), other.close()]);
  });
});

describe('several sessions of one connection', () => {
  test('time out each for itself, with one event, and the connection stays', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const [idle, busy] = [await client.create(), await client.create()];
    const handle = await client.attach(idle);
    const keepalive = setInterval(() => client.send({ janus: 'keepalive', transaction: 'k', session_id: busy }), 500);
    await client.until((one) => one.janus === 'timeout', 'the timeout');
    clearInterval(keepalive);
    await client.settled();
    const timeouts = client.received.filter(({ janus }) => janus === 'timeout');
    assert.deepEqual(timeouts, [{ janus: 'timeout', session_id: idle }]);
    for (const { sender } of client.received.filter(({ janus }) => janus === 'detached'))
      assert.equal(sender, handle.id);
    assert.equal((await client.request({ janus: 'keepalive', session_id: idle })).error?.code, 458);
    assert.equal((await client.request({ janus: 'keepalive', session_id: busy })).janus, 'ack');
    await client.close();
  });

  test('end one by one with destroy: success and no event, not for its handles either', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const [first, second] = [await client.create(), await client.create()];
    for (let times = 0; times < 3; times += 1) await client.attach(first);
    const before = client.received.length;
    assert.equal((await client.request({ janus: 'destroy', session_id: first })).janus, 'success');
    await client.request({ janus: 'keepalive', session_id: second });
    await client.settled();
    assert.deepEqual(
      client.received.slice(before).map(({ janus }) => janus),
      ['success', 'ack', 'pong'],
    );
    await client.close();
  });

  test('a failed request keeps a session alive as well', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    for (let times = 0; times < 8; times += 1) {
      await elapse(500);
      assert.equal((await client.request({ janus: 'keepalive', session_id: session, handle_id: 5 })).error?.code, 459);
    }
    assert.ok(!client.received.some(({ janus }) => janus === 'timeout'));
    await client.close();
  });
});
