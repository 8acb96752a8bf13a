/** `/metrics` of the real server: its form, who gets it, and that each bound counts what it refuses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { METRICS } from '../../src/observability/metrics/all.js';
import { ADMIN_SECRET, adminOverHttp } from '../support/admin-client.js';
import { type Family, readExposition, sampleOf } from '../support/exposition.js';
import { type ClientHandle, JanusClient, refusalOf } from '../support/janus-client.js';
import { promtool, promtoolMissing } from '../support/promtool.js';
import { RestClient } from '../support/rest-client.js';
import { type RunningServer, startServer } from '../support/server.js';

async function scrape(server: RunningServer, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.httpUrl}/metrics`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function measure(server: RunningServer): Promise<Map<string, Family>> {
  return readExposition((await scrape(server)).text);
}

/** The names and labels of our own metrics: those of the process depend on what it did. */
const seriesOf = (text: string) => text.match(/^janus_sfu_.*(?= [^ ]+$)/gm);

describe('the metrics', () => {
  let server: RunningServer;
  before(async () => {
    const limits = {
      MAX_ROOM_SIZE: '2',
      MAX_CCU: '3',
      BLOCKS_PER_USER: '1',
      SESSIONS_PER_CONNECTION: '1',
      HANDLES_PER_CONNECTION: '4',
      REQUESTS_PER_HANDLE: '1',
      WS_MESSAGE_BYTES_MAX: '1024',
      WS_FRAGMENTS_MAX: '2',
      WS_REQUEST_RATE: '20',
      WS_REQUEST_BURST: '20',
      HTTP_BODY_BYTES_MAX: '1024',
      SUBSCRIBE_WAIT: '1',
    };
    server = await startServer({ env: { ADMIN_SECRET, ...limits }, workers: 2 });
  });
  after(() => server.stop());

  test('are a valid exposition, never from a cache, and exactly those that are defined, besides those of the process', async () => {
    const { status, headers, text } = await scrape(server);
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(headers.get('cache-control'), 'no-store');
    const families = readExposition(text);
    for (const { name, type, help, labels } of METRICS) {
      const family = families.get(name);
      assert.ok(family, name);
      assert.deepEqual([family.type, family.help], [type, help]);
      assert.ok(family.samples.length > 0, `${name} has samples`);
      for (const sample of family.samples) assert.deepEqual(Object.keys(sample.labels), labels, name);
    }
    const others = [...families.keys()].filter((name) => !METRICS.some((metric) => metric.name === name));
    assert.ok(
      others.every((name) => /^(process|nodejs)_/.test(name)),
      others.join(),
    );
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      assert.ok(others.includes(name), name);
    }
  });

  test('are what promtool approves of', { skip: promtoolMissing() }, async () => {
    const { code, output } = promtool(['check', 'metrics'], (await scrape(server)).text);
    assert.deepEqual([code, output], [0, '']);
  });

  test('have no more series after many rooms, users and wrong requests than before', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const before = seriesOf((await scrape(server)).text);
    for (let i = 0; i < 10; i += 1) await client.request({ janus: `verb ${i}` });
    const session = await client.create();
    for (let i = 0; i < 5; i += 1) {
      const handle = await client.attach(session);
      const join = { kind: i === 0 ? 'dance' : 'join', room_id: `room ${i}`, user_id: `user ${i}`, token: 't' };
      await client.message(handle, join);
      await client.toHandle(handle, { janus: 'detach' });
    }
    await client.request({ janus: 'destroy', session_id: session });
    await client.close();
    const { text } = await scrape(server);
    assert.deepEqual(seriesOf(text), before);
    assert.doesNotMatch(text, /room \d|user \d|verb \d|dance|127\.0\.0\.1/);
  });

  test('tell who is there, and what happened', async () => {
    const from = await measure(server);
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    const [ann, bob] = [await client.attach(session), await client.attach(session)];
    const join = (user: string, subscribe?: object) => ({ kind: 'join', room_id: 'r', user_id: user, subscribe });
    await client.message(ann, join('ann', { data: true }));
    await client.message(bob, join('bob'));
    const there = await measure(server);
    const grown = (name: string, labels: Record<string, string> = {}, since = from, now = there) =>
      sampleOf(now, name, labels) - sampleOf(since, name, labels);
    assert.deepEqual(
      ['rooms', 'users', 'publishers', 'subscribers'].map((name) => sampleOf(there, `janus_sfu_${name}`)),
      [1, 2, 0, 0],
    );
    assert.equal(sampleOf(there, 'janus_sfu_sessions', { state: 'owned' }), 1);
    assert.deepEqual(
      ['joined', 'unjoined'].map((state) => sampleOf(there, 'janus_sfu_handles', { state })),
      [2, 0],
    );
    assert.ok(sampleOf(there, 'janus_sfu_connections', { api: 'janus', transport: 'websocket' }) > 0);
    assert.equal(grown('janus_sfu_messages_total', { kind: 'join', outcome: 'success' }), 2);
    assert.equal(grown('janus_sfu_requests_total', { api: 'janus', verb: 'attach', outcome: 'success' }), 2);
    await adminOverHttp(server)({ janus: 'kick', room_id: 'r', user_id: 'bob' });
    await client.toHandle(ann, { janus: 'detach' });
    await client.request({ janus: 'keepalive', session_id: session + 1 });
    await client.close();
    await adminOverHttp(server)({ janus: 'list_rooms', admin_secret: 'wrong' });
    const gone = await measure(server);
    for (const [event, count] of Object.entries({ join: 2, leave: 2, kick: 1, 'room-empty': 1, 'room-full': 0 })) {
      assert.equal(grown('janus_sfu_room_events_total', { event }, from, gone), count, event);
    }
    assert.equal(grown('janus_sfu_request_errors_total', { api: 'janus', code: '458' }, there, gone), 1);
    assert.equal(grown('janus_sfu_request_errors_total', { api: 'admin', code: '403' }, there, gone), 1);
    assert.equal(grown('janus_sfu_requests_total', { api: 'admin', verb: 'kick', outcome: 'success' }, there, gone), 1);
    assert.equal(sampleOf(gone, 'janus_sfu_rooms'), 0);
  });

  test('tell of the server and its workers', async () => {
    const first = await measure(server);
    assert.deepEqual(
      ['ready', 'accepting_sessions', 'block_store_degraded'].map((name) => sampleOf(first, `janus_sfu_${name}`)),
      [1, 1, 0],
    );
    for (const shard of ['0', '1']) {
      assert.deepEqual(
        ['up', 'deaths_total', 'peers', 'faults_total'].map((name) =>
          sampleOf(first, `janus_sfu_shard_${name}`, { shard }),
        ),
        [1, 0, 0, 0],
      );
      assert.ok(sampleOf(first, 'janus_sfu_shard_heartbeats_total', { shard }) > 0);
      assert.ok(sampleOf(first, 'janus_sfu_shard_loop_delay_seconds', { shard }) < 5);
    }
    const admin = adminOverHttp(server);
    await admin({ janus: 'accept_new_sessions', accept: false });
    const drained = await measure(server);
    await admin({ janus: 'accept_new_sessions', accept: true });
    assert.deepEqual(
      ['ready', 'accepting_sessions'].map((name) => sampleOf(drained, `janus_sfu_${name}`)),
      [0, 0],
    );
  });

  /** What goes beyond a bound, or is counted for other reasons, and the series that counts it. */
  const bounds: Record<string, { labels?: Record<string, string>; exceed: () => Promise<unknown> }> = {
    'websocket_connections_refused_total handshake': {
      labels: { api: 'janus', reason: 'handshake' },
      exceed: () => once(new WebSocket(server.wsUrl, 'other-protocol'), 'error'),
    },
    'websocket_connections_closed_total size': {
      labels: { api: 'janus', reason: 'size' },
      async exceed() {
        const { socket } = await JanusClient.connect(server.wsUrl);
        socket.send('x'.repeat(2000));
        await once(socket, 'close');
      },
    },
    'websocket_connections_closed_total fragments': {
      labels: { api: 'janus', reason: 'fragments' },
      async exceed() {
        const { socket } = await JanusClient.connect(server.wsUrl);
        const closed = once(socket, 'close');
        for (let i = 0; i < 10 && socket.readyState === WebSocket.OPEN; i += 1) socket.send('', { fin: false });
        await closed;
      },
    },
    'websocket_rate_limit_waits_total ': {
      labels: { api: 'janus' },
      async exceed() {
        const client = await JanusClient.connect(server.wsUrl);
        await Promise.all(Array.from({ length: 25 }, () => client.request({ janus: 'ping' })));
        await client.close();
      },
    },
    'http_requests_refused_total size': {
      labels: { api: 'janus', reason: 'size' },
      async exceed() {
        const rest = new RestClient(`${server.httpUrl}/janus`);
        assert.equal((await rest.ask('POST', '', { body: 'x'.repeat(2000) })).status, 413);
      },
    },
    'ice_servers_requests_total answered': {
      labels: { outcome: 'answered' },
      exceed: async () => assert.equal((await fetch(`${server.httpUrl}/ice-servers`)).status, 200),
    },
    'sessions_refused_total ': {
      exceed: () =>
        withClient(async (client) => {
          await client.create();
          assert.equal((await client.request({ janus: 'create' })).janus, 'error');
        }),
    },
    'handles_refused_total ': {
      exceed: () =>
        withClient(async (client) => {
          const session = await client.create();
          for (let i = 0; i < 4; i += 1) await client.attach(session);
          await assert.rejects(client.attach(session));
        }),
    },
    'handle_requests_refused_total ': {
      exceed: () =>
        withClient(async (client) => {
          const handle = await client.attach(await client.create());
          const wait = { kind: 'join', room_id: 'r', user_id: 'ann', subscribe: { media: 'nobody' } };
          const fields = { session_id: handle.session, handle_id: handle.id, janus: 'message', body: wait };
          for (let i = 0; i < 3; i += 1) client.send({ transaction: `many ${i}`, ...fields });
          await client.until(({ error }) => error?.code === 490, 'a refusal');
        }),
    },
    'joins_refused_total room_full': { labels: { reason: 'room_full' }, exceed: () => crowd(['r', 'r', 'r']) },
    'joins_refused_total server_full': { labels: { reason: 'server_full' }, exceed: () => crowd(['r', 'r', 's', 's']) },
    'blocks_refused_total ': {
      exceed: () =>
        withClient(async (client) => {
          const handle = await client.join('r', 'ann', { data: true });
          await client.message(handle, { kind: 'block', whom: 'bob' });
          assert.ok(refusalOf(await client.message(handle, { kind: 'block', whom: 'eve' })));
        }),
    },
  };

  async function withClient(act: (client: JanusClient) => Promise<void>): Promise<void> {
    const client = await JanusClient.connect(server.wsUrl);
    await act(client);
    await client.close();
  }

  /** Publishers join these rooms one after the other; the last one is refused. */
  async function crowd(rooms: string[]): Promise<void> {
    const clients = await Promise.all(rooms.map(() => JanusClient.connect(server.wsUrl)));
    const refusals: (string | null)[] = [];
    const handles: ClientHandle[] = [];
    for (const [index, client] of clients.entries()) {
      const handle = await client.attach(await client.create());
      handles.push(handle);
      const body = { kind: 'join', room_id: rooms[index], user_id: `user ${index}`, subscribe: { data: true } };
      refusals.push(refusalOf(await client.message(handle, body)));
    }
    for (const [index, client] of clients.entries()) {
      // Its answer comes when its users have left.
      await client.request({ janus: 'destroy', session_id: handles[index]?.session });
      await client.close();
    }
    assert.deepEqual(
      refusals.map(Boolean),
      rooms.map((_, index) => index === rooms.length - 1),
    );
  }

  for (const [name, { labels = {}, exceed }] of Object.entries(bounds)) {
    test(`count ${name.trim()}`, async () => {
      const metric = `janus_sfu_${name.split(' ')[0]}`;
      const before = sampleOf(await measure(server), metric, labels);
      await exceed();
      assert.ok(sampleOf(await measure(server), metric, labels) > before);
    });
  }
});

describe('who gets the metrics', () => {
  test('without a token is this machine alone, and no proxy on it', async () => {
    const server = await startServer();
    try {
      assert.equal((await scrape(server)).status, 200);
      for (const header of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP']) {
        const { status, text } = await scrape(server, { [header]: 'for=127.0.0.1' });
        assert.deepEqual([status, /METRICS_TOKEN/.test(text), /janus_sfu_/.test(text)], [403, true, false], header);
      }
      const url = `${server.httpUrl}/metrics`;
      const head = await fetch(url, { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text()], [200, '']);
      const post = await fetch(url, { method: 'POST' });
      assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
    } finally {
      await server.stop();
    }
  });

  test('with a token is whoever has it, from wherever', async () => {
    const token = 'a token of thirty-two characters';
    const server = await startServer({ env: { METRICS_TOKEN: token.replaceAll(' ', '-') } });
    try {
      const bearer = `Bearer ${token.replaceAll(' ', '-')}`;
      assert.equal((await scrape(server, { Authorization: bearer, 'X-Forwarded-For': '192.0.2.1' })).status, 200);
      for (const wrong of ['', 'Bearer ', `${bearer}x`, bearer.slice(0, -1), bearer.replace('Bearer', 'Basic')]) {
        const { status, headers } = await scrape(server, wrong === '' ? {} : { Authorization: wrong });
        assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer realm="metrics"'], wrong);
      }
    } finally {
      await server.stop();
    }
  });

  test('with METRICS=false is nobody', async () => {
    const server = await startServer({ env: { METRICS: 'false' } });
    try {
      assert.equal((await scrape(server)).status, 404);
    } finally {
      await server.stop();
    }
  });
});
