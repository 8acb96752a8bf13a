/** Sessions over HTTP: their owner, claims from one transport to the other, and their end (janus-api.md 6). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { type ClientHandle, dataOf, type JanusClient } from '../support/janus-client.js';
import { KEEPALIVE, startPoll, usingRest } from '../support/rest-suite.js';

describe('an HTTP session', () => {
  const server = usingRest({ HTTP_POLL_TIMEOUT: '1', EVENT_QUEUE_MAX: '16', SESSION_TIMEOUT: '20' });

  test('W13: lets nobody but its owner use a session, whatever the transport, until it is claimed', async () => {
    const [client, socket] = [server.rest(), await server.ws()];
    const ofSocket = await socket.create();
    const ofClient = await client.create();
    assert.equal((await client.post(`/${ofSocket}`, { janus: 'keepalive' })).error?.code, 458);
    assert.equal((await client.ask('GET', `/${ofSocket}`)).status, 404);
    assert.equal((await socket.request({ janus: 'keepalive', session_id: ofClient })).error?.code, 458);
  });

  /** Both join a room; the second one's data messages are the first one's events. */
  async function say(from: JanusClient, handle: ClientHandle, text: string): Promise<void> {
    await from.message(handle, { kind: 'data', body: text });
  }

  test('hands a session over from a WebSocket to HTTP and back, with the events that were not fetched', async () => {
    const [client, first, second, speaker] = [server.rest(), await server.ws(), await server.ws(), await server.ws()];
    const handle = await first.join('claims', 'ann', { notifications: true, data: true });
    const mouth = await speaker.join('claims', 'bob', { data: true });
    const { session } = handle;
    await say(speaker, mouth, 'to the first socket');
    assert.deepEqual(await client.post(`/${session}`, { janus: 'claim', transaction: 'c' }), {
      janus: 'success',
      session_id: session,
      transaction: 'c',
    });
    assert.equal((await first.request({ janus: 'keepalive', session_id: session })).error?.code, 458);
    await say(speaker, mouth, 'to the poll');
    await say(speaker, mouth, 'to nobody yet');
    assert.equal(dataOf(await client.event(session)).body, 'to the poll');
    const poll = startPoll(client, await client.create());
    const claimed = await second.request({ janus: 'claim', session_id: session });
    assert.equal(claimed.janus, 'success');
    await second.until((one) => one.plugindata?.data.body === 'to nobody yet', 'what nobody had fetched');
    assert.ok(second.received.indexOf(claimed) < second.received.length - 1);
    await say(speaker, mouth, 'to the second socket');
    await second.until((one) => one.plugindata?.data.body === 'to the second socket', 'the event after the claim');
    assert.equal((await client.ask('GET', `/${session}`)).status, 404);
    assert.deepEqual(await (await poll).answer, KEEPALIVE);
    const heard = first.received.map((one) => one.plugindata?.data.body).filter((body) => body !== undefined);
    assert.deepEqual(heard, ['to the first socket']);
  });

  test('releases the poll of a session that a WebSocket claims', (t) =>
    shownOnce(t, async () => {
      const [client, socket] = [server.rest(), await server.ws()];
      const session = await client.create();
      const poll = await startPoll(client, session);
      const started = performance.now();
      await socket.request({ janus: 'claim', session_id: session });
      assert.deepEqual(await poll.answer, KEEPALIVE);
      limit(performance.now() - started < 500, 'no sooner than by its time');
    }));

  test('claiming over HTTP what HTTP owns changes nothing: what waits is still there', async () => {
    const client = server.rest();
    const handle = await client.join('again', 'ann');
    await client.toHandle(handle, { janus: 'message', transaction: 'waits', body: { kind: 'data', body: 'x' } });
    assert.equal((await client.post(`/${handle.session}`, { janus: 'claim' })).janus, 'success');
    assert.equal((await client.event(handle.session)).transaction, 'waits');
  });
});

describe('HTTP sessions that end by themselves', () => {
  const server = usingRest({ SESSION_TIMEOUT: '2', RECLAIM_SESSION_TIMEOUT: '30', HTTP_POLL_TIMEOUT: '20' });

  test('tell the poll that waits, and then are unknown', async () => {
    const client = server.rest();
    const session = await client.create();
    const started = performance.now();
    assert.deepEqual(await client.event(session), { janus: 'timeout', session_id: session });
    const elapsed = performance.now() - started;
    assert.ok(elapsed > 1900 && elapsed < 8000, `after ${Math.round(elapsed)} ms`);
    assert.equal((await client.ask('GET', `/${session}`)).status, 404);
  });

  test('bring what came while their WebSocket was away to the HTTP client that claims them', async () => {
    const [client, away, speaker] = [server.rest(), await server.ws(), await server.ws()];
    const handle = await away.join('away', 'ann', { notifications: true, data: true });
    const mouth = await speaker.join('away', 'bob', { data: true });
    away.socket.terminate();
    await once(away.socket, 'close');
    // The server sees the end of the connection a little later: what it sent until then is lost.
    const said = ['1', '2', '3', '4'];
    for (const body of said) await speaker.message(mouth, { kind: 'data', body });
    assert.equal((await client.post(`/${handle.session}`, { janus: 'claim' })).janus, 'success');
    const kept = (await client.events(handle.session)).map((event) => dataOf(event).body);
    const bodies = kept.filter((body) => body !== undefined);
    assert.ok(bodies.length > 0);
    assert.deepEqual(bodies, said.slice(-bodies.length));
  });
});
