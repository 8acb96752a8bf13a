/** Long polls of the Janus API over HTTP (janus-api.md 6), against the real server. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { dataOf, type Received } from '../support/janus-client.js';
import { RestClient } from '../support/rest-client.js';
import { KEEPALIVE, startPoll, usingRest } from '../support/rest-suite.js';
import { startServer } from '../support/server.js';

describe('a long poll', () => {
  const server = usingRest({ HTTP_POLL_TIMEOUT: '1', EVENT_QUEUE_MAX: '16', SESSION_TIMEOUT: '20' });

  test('gives a long poll what waits at once, oldest first: one event, or an array', async () => {
    const client = server.rest();
    const first = await client.join('queue', 'ann');
    const second = await client.join('queue', 'bob');
    for (const body of ['1', '2']) {
      await client.toHandle(second, { janus: 'message', body: { kind: 'data', body } });
    }
    const joined = await client.event(first.session);
    assert.deepEqual(dataOf(joined), { event: 'join', user_id: 'bob', room_id: 'queue' });
    const rest = await client.events(first.session, 5);
    assert.deepEqual(
      rest.map((event) => dataOf(event).body),
      ['1', '2'],
    );
    assert.ok(rest.every(({ sender, session_id }) => sender === first.id && session_id === first.session));
  });

  test('ends a long poll’s wait with the event, also one that asks for an array', (t) =>
    shownOnce(t, async () => {
      const client = server.rest();
      const handle = await client.join('wait', 'ann');
      for (const [query, array] of [
        ['', false],
        ['?maxev=1', false],
        ['?maxev=abc&rid=1', false],
        ['?maxev=5&rid=123', true],
      ] as const) {
        const poll = await startPoll(client, handle.session, query);
        const started = performance.now();
        const transaction = `t${query}`;
        await client.toHandle(handle, { janus: 'message', transaction, body: { kind: 'data', body: 'x' } });
        const answer = await poll.answer;
        const took = performance.now() - started;
        const [event] = array ? (answer as Received[]) : [answer as Received];
        assert.equal(Array.isArray(answer), array, query);
        assert.equal(event?.transaction, transaction);
        limit(took < 500, `${took} ms, ${query}`);
      }
    }));

  test('answers a long poll with a keepalive and nothing else when its time is over', async () => {
    const client = server.rest();
    const session = await client.create();
    const started = performance.now();
    const [bare, array] = await Promise.all([
      client.event(session),
      client.create().then((other) => client.events(other, 2)),
    ]);
    const elapsed = performance.now() - started;
    assert.deepEqual(bare, KEEPALIVE);
    assert.deepEqual(array, [KEEPALIVE]);
    assert.ok(elapsed >= 990 && elapsed < 5000, `after ${Math.round(elapsed)} ms`);
  });

  test('W11: has one long poll at a time: the older one is released, the newer one gets the event', async () => {
    const client = server.rest();
    const handle = await client.join('one', 'ann');
    const polls = [];
    for (let n = 0; n < 20; n += 1) polls.push(await startPoll(client, handle.session, '?maxev=2'));
    const last = await startPoll(client, handle.session, '?maxev=2');
    await client.toHandle(handle, { janus: 'message', body: { kind: 'data', body: 'x' } });
    const [event] = (await last.answer) as Received[];
    assert.equal(event?.janus, 'event');
    for (const { answer } of polls) assert.deepEqual(await answer, [KEEPALIVE]);
  });

  test('releases the poll of a session that is destroyed, and knows the session no more', (t) =>
    shownOnce(t, async () => {
      const client = server.rest();
      const session = await client.create();
      const poll = await startPoll(client, session);
      const started = performance.now();
      await client.post(`/${session}`, { janus: 'destroy' });
      assert.deepEqual(await poll.answer, KEEPALIVE);
      const took = performance.now() - started;
      assert.equal((await client.ask('GET', `/${session}`)).status, 404);
      limit(took < 500, `${took} ms`);
    }));

  test('W12: ends a session whose events nobody takes, and says so in the log', async () => {
    const client = server.rest();
    const silent = await client.join('full', 'silent');
    const busy = await client.join('full', 'busy');
    const seen: Received[] = [];
    for (let n = 0; n < 17; n += 1) {
      const sent = await client.toHandle(busy, { janus: 'message', body: { kind: 'data', body: `${n}` } });
      assert.equal(sent.janus, 'ack');
      seen.push(...(await client.events(busy.session)));
    }
    const reply = await client.post(`/${silent.session}`, { janus: 'keepalive' });
    assert.equal(reply.error?.code, 458);
    assert.match(server.running().output(), new RegExp(`too many of its events wait.*session=${silent.session}`));
    while (!seen.some((event) => dataOf(event).event === 'leave')) seen.push(await client.event(busy.session));
    const answered = seen.filter(({ transaction }) => transaction !== undefined);
    assert.equal(answered.length, 17);
  });
});

describe('two thousand long polls', () => {
  const many = '1000000';
  const server = usingRest({
    HTTP_SESSIONS_PER_ADDRESS: many,
    HTTP_REQUEST_RATE: many,
    HTTP_REQUEST_BURST: many,
    SESSION_TIMEOUT: '0',
  });

  test('W11: are as many as there may be connections; the others get 503, and their place when the first ones go', async () => {
    const client = server.rest();
    const sessions: number[] = [];
    while (sessions.length < 2000) {
      sessions.push(...(await Promise.all(Array.from({ length: 40 }, () => client.create()))));
    }
    client.close();
    const abort = new AbortController();
    let refused = 0;
    let others = 0;
    const polls = new Agent();
    const allRefused = new Promise<void>((resolve) => {
      for (const session of sessions) {
        client.ask('GET', `/${session}`, { agent: polls, signal: abort.signal }).then(
          ({ status }) => {
            if (status === 503) refused += 1;
            else others += 1;
            if (refused + others >= 980) resolve();
          },
          () => {},
        );
      }
    });
    await allRefused;
    assert.deepEqual({ refused, others }, { refused: 980, others: 0 });
    abort.abort();
    polls.destroy();
    // The first request after that may still be one too many.
    let status = 503;
    while (status === 503) ({ status } = await client.ask('GET', '/ping', { agent: new Agent() }));
    assert.equal(status, 200);
    const served = await Promise.all(
      sessions.slice(0, 200).map(async (session) => {
        const poll = client.event(session);
        await client.post(`/${session}`, { janus: 'destroy' });
        return poll.catch((error) => String(error));
      }),
    );
    // Either the poll came first and was released, or the session's end did.
    for (const one of served) assert.match(JSON.stringify(one), /keepalive|answered with 404/);
  });
});

describe('a server with long polls that ends', () => {
  test('answers them, and ends with code 0', async () => {
    const server = await startServer();
    const client = new RestClient(`${server.httpUrl}/janus`);
    const session = await client.create();
    const poll = await startPoll(client, session);
    const started = performance.now();
    const code = server.stop();
    assert.deepEqual(await poll.answer, KEEPALIVE);
    client.close();
    assert.equal(await code, 0);
    assert.ok(performance.now() - started < 15_000);
  });
});
