/** The Admin API (janus-api.md 8), over both transports: who may ask, what every verb answers, and what it does. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import {
  ADMIN_SECRET,
  type Ask,
  adminOverHttp,
  adminOverWebSocket,
  logged,
  type Reply,
} from '../support/admin-client.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const PLUGIN = 'janus.plugin.sfu';

let server: RunningServer;
let admin: JanusClient;
let asks: { name: string; ask: Ask }[];
let client: JanusClient;
before(async () => {
  server = await startServer({ env: { ADMIN_SECRET, LOG_LEVEL: 'debug' }, workers: 2 });
  const socket = await adminOverWebSocket(server);
  admin = socket.client;
  asks = [
    { name: 'HTTP', ask: adminOverHttp(server) },
    { name: 'WebSocket', ask: socket.ask },
  ];
  client = await JanusClient.connect(server.wsUrl);
});
after(async () => {
  await client.close();
  await admin.close();
  assert.equal(await server.stop(), 0, server.output());
});

/** Asks over each transport; the answers must be the same but for the transaction. */
async function both(fields: Record<string, unknown>): Promise<Reply> {
  const replies: Reply[] = [];
  for (const { ask } of asks) {
    const { transaction, ...reply } = await ask(fields);
    assert.ok(typeof transaction === 'string', JSON.stringify(reply));
    replies.push(reply as Reply);
  }
  assert.deepEqual(replies[0], replies[1]);
  return replies[0] as Reply;
}

/** The fields of a success, but `janus`. */
async function fieldsOf(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { janus, ...rest } = await both(fields);
  assert.equal(janus, 'success', JSON.stringify(rest));
  return rest;
}

async function errorOf(fields: Record<string, unknown>): Promise<{ code: number; reason: string }> {
  const { janus, error } = await both(fields);
  assert.equal(janus, 'error');
  assert.ok(error);
  return error;
}

const UNAUTHORIZED = { code: 403, reason: 'Unauthorized request (wrong or missing secret/token)' };

describe('who may ask', () => {
  const wrong = [undefined, null, '', 'wrong', `${ADMIN_SECRET} `, ADMIN_SECRET.slice(1), 7, true, [ADMIN_SECRET], {}];

  for (const secret of wrong) {
    test(`a request with the secret ${JSON.stringify(secret)} gets 403, whatever it asks for`, async () => {
      const session = await client.create();
      const { id: handle } = await client.attach(session);
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
    await logged(server, /an admin request without the secret .*verb="list_sessions"/);
    assert.ok(!server.output().includes(ADMIN_SECRET));
    assert.ok(!server.output().includes('a guess'));
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
      const from = admin.received.length;
      admin.send(message);
      return admin.until(({ janus }) => janus === 'error', 'an error', from);
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
    const from = admin.received.length;
    admin.socket.send('{"janus":"ping",');
    const { error } = await admin.until(({ janus }) => janus === 'error', 'an error', from);
    assert.equal(error?.code, 456);
  });

  test('may have any id: it means nothing here', async () => {
    for (const id of [-1, 'x', null, {}]) assert.equal((await both({ janus: 'list_sessions', id })).janus, 'success');
  });

  test('of a GET that is not info or ping has no payload', async () => {
    const response = await fetch(server.adminUrl ?? '');
    const reply = (await response.json()) as Reply;
    assert.deepEqual(reply.error, { code: 454, reason: 'Request payload missing' });
    for (const [path, janus] of [
      ['info', 'server_info'],
      ['ping', 'pong'],
    ]) {
      const found = (await (await fetch(`${server.adminUrl}/${path}`)).json()) as Reply;
      assert.equal(found.janus, janus);
    }
  });
});

describe('what is addressed', () => {
  test('is checked session first, then handle, then verb', async () => {
    const session = await client.create();
    const { id: handle } = await client.attach(session);
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
    const session = await client.create();
    const { id: handle } = await client.attach(session);
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
    const session = await client.create();
    const { ask } = asks[1] as { ask: Ask };
    for (const ids of [
      { session_id: session, handle_id: 0 },
      { handle_id: 5 },
      { session_id: session, handle_id: 'x' },
    ]) {
      const { error } = await ask({ janus: 'handle_info', ...ids });
      assert.deepEqual(error, { code: 458, reason: 'Session not found' });
    }
  });
});

describe('the settings', () => {
  /** Each verb: its field, a value, what is wrong with others, and where the value is told. */
  const verbs: {
    verb: string;
    field: string;
    good: unknown[];
    told: string;
    status: string;
    bad: [unknown, string][];
  }[] = [
    ...[
      ['set_session_timeout', 'timeout', 'timeout', 'session_timeout'],
      ['set_min_nack_queue', 'min_nack_queue', 'min_nack_queue', 'min_nack_queue'],
      ['set_no_media_timer', 'no_media_timer', 'no_media_timer', 'no_media_timer'],
      ['set_slowlink_threshold', 'slowlink_threshold', 'slowlink_threshold', 'slowlink_threshold'],
    ].map(([verb = '', field = '', told = '', status = '']) => ({
      verb,
      field,
      good: [0, 7, 60],
      told,
      status,
      bad: [-1, 1.5, '1', null, true, {}].map((value): [unknown, string] => [value, 'a positive integer']),
    })),
    ...[
      ['set_log_timestamps', 'timestamps', 'log_timestamps', 'log_timestamps'],
      ['set_log_colors', 'colors', 'log_colors', 'log_colors'],
      ['set_locking_debug', 'debug', 'locking_debug', 'locking_debug'],
      ['set_refcount_debug', 'debug', 'refcount_debug', 'refcount_debug'],
      ['set_nack_optimizations', 'nack_optimizations', 'nack-optimizations', 'nack-optimizations'],
    ].map(([verb = '', field = '', told = '', status = '']) => ({
      verb,
      field,
      good: status === 'log_timestamps' ? [false, true] : [true, false],
      told,
      status,
      bad: [1, 'true', null, {}].map((value): [unknown, string] => [value, 'a boolean']),
    })),
    {
      verb: 'set_log_level',
      field: 'level',
      good: [0, 1, 2, 3, 4, 5, 6, 7],
      told: 'level',
      status: 'log_level',
      bad: [
        [-1, 'a positive integer'],
        [8, 'between 0 and 7'],
        ['7', 'a positive integer'],
      ],
    },
  ];

  for (const { verb, field, good, told, status, bad } of verbs) {
    test(`${verb} tells what holds from now on, as get_status does`, async () => {
      for (const value of good) {
        assert.deepEqual(await fieldsOf({ janus: verb, [field]: value }), { [told]: value });
        const all = (await fieldsOf({ janus: 'get_status' })).status as Record<string, unknown>;
        assert.equal(all[status], value);
      }
    });

    test(`${verb} takes nothing else`, async () => {
      assert.deepEqual(await errorOf({ janus: verb }), { code: 456, reason: `Missing mandatory element (${field})` });
      for (const [value, type] of bad) {
        const reason = `Invalid element type (${field} should be ${type})`;
        assert.deepEqual(await errorOf({ janus: verb, [field]: value }), { code: 467, reason }, JSON.stringify(value));
      }
    });
  }

  test('set_log_level changes what is logged', async () => {
    const marks: string[] = [];
    const logAt = async (level: number) => {
      await fieldsOf({ janus: 'set_log_level', level });
      marks.push(`mark ${marks.length}`);
      await fieldsOf({ janus: 'custom_logline', line: marks.at(-1), level: 4 });
    };
    await logAt(4);
    await logAt(3);
    await logAt(0);
    await logAt(7);
    await logged(server, new RegExp(`"${marks.at(-1)}"`));
    const lines = server.output();
    assert.deepEqual(
      marks.map((mark) => lines.includes(`"${mark}"`)),
      [true, false, false, true],
    );
  });

  test('accept_new_sessions drains the server: those that are there go on', async () => {
    const session = await client.create();
    try {
      assert.deepEqual(await fieldsOf({ janus: 'accept_new_sessions', accept: false }), { accept: false });
      const refused = await client.request({ janus: 'create' });
      assert.deepEqual(refused.error, { code: 472, reason: 'Currently not accepting new sessions' });
      const info = await both({ janus: 'info' });
      assert.equal(info['accepting-new-sessions'], false);
      assert.equal((await client.request({ janus: 'keepalive', session_id: session })).janus, 'ack');
    } finally {
      assert.deepEqual(await fieldsOf({ janus: 'accept_new_sessions', accept: true }), { accept: true });
    }
    assert.ok((await client.create()) > 0);
    const reason = 'Invalid element type (accept should be a boolean)';
    assert.deepEqual(await errorOf({ janus: 'accept_new_sessions', accept: 1 }), { code: 467, reason });
  });
});

describe('the verbs about the server', () => {
  test('list_sessions and list_handles tell all there are, whoever owns them', async () => {
    const other = await JanusClient.connect(server.wsUrl);
    const session = await other.create();
    const handles = [(await other.attach(session)).id, (await other.attach(session)).id];
    const { sessions } = (await fieldsOf({ janus: 'list_sessions' })) as { sessions: number[] };
    assert.ok(sessions.includes(session));
    const listed = await fieldsOf({ janus: 'list_handles', session_id: session });
    assert.deepEqual(listed, { session_id: session, handles });
    await other.close();
  });

  test('list_rooms and message_plugin tell who is where', async () => {
    const alice = await JanusClient.connect(server.wsUrl);
    const { session, id } = await alice.join('listed room', 'alice', { data: true, notifications: true });
    await alice.message({ session, id }, { kind: 'block', whom: 'somebody' });
    const room = {
      room_id: 'listed room',
      publishers: 1,
      shards: [],
      users: [
        {
          user_id: 'alice',
          publisher: true,
          blocks: 1,
          blocked: [],
          handles: [{ session_id: session, handle_id: id, kind: 'publisher', shard: null }],
        },
      ],
    };
    assert.deepEqual(await fieldsOf({ janus: 'list_rooms', room_id: 'listed room' }), { rooms: [room] });
    assert.deepEqual(await fieldsOf({ janus: 'list_rooms', room_id: 'another' }), { rooms: [] });
    const all = (await fieldsOf({ janus: 'list_rooms' })) as { rooms: object[] };
    assert.deepEqual(all.rooms.at(-1), room);
    const request = { request: 'list_rooms', room_id: 'listed room' };
    assert.deepEqual(await fieldsOf({ janus: 'message_plugin', plugin: PLUGIN, request }), {
      response: { rooms: [room] },
    });
    const { response } = await fieldsOf({ janus: 'message_plugin', plugin: PLUGIN });
    assert.ok((response as { rooms: number }).rooms >= 1);
    const unknown = await fieldsOf({ janus: 'message_plugin', plugin: PLUGIN, request: { request: 'dance' } });
    assert.deepEqual(unknown, {
      response: { error: { msg: 'The field request should be list_rooms (got "dance").' } },
    });
    await alice.toHandle({ session, id }, { janus: 'detach' });
    await alice.until(({ janus }) => janus === 'detached', 'detached');
    assert.deepEqual(await fieldsOf({ janus: 'list_rooms', room_id: 'listed room' }), { rooms: [] });
    await alice.close();
    assert.equal((await errorOf({ janus: 'list_rooms', room_id: 7 })).code, 467);
    assert.deepEqual(await errorOf({ janus: 'message_plugin', plugin: 'other' }), {
      code: 460,
      reason: 'Invalid plugin',
    });
    assert.equal((await errorOf({ janus: 'message_plugin' })).code, 456);
    assert.equal((await errorOf({ janus: 'message_plugin', plugin: PLUGIN, request: 'x' })).code, 467);
  });

  test('query_transport counts the connections of each transport', async () => {
    const query = (transport: unknown, request?: unknown) => both({ janus: 'query_transport', transport, request });
    for (const [transport, atLeast] of [
      ['janus.transport.websockets', 1],
      ['janus.transport.http', 0],
    ] as const) {
      const { response } = (await query(transport, { request: 'connections' })) as Reply & {
        response: { result: number; connections: number };
      };
      assert.equal(response.result, 200);
      assert.ok(response.connections >= atLeast);
    }
    const ws = 'janus.transport.websockets';
    assert.deepEqual((await query(ws)).response, { error_code: 412, error: 'Missing element (request)' });
    const type = 'Invalid element type (request should be a string)';
    assert.deepEqual((await query(ws, { request: 1 })).response, { error_code: 413, error: type });
    const unknown = "Unknown request 'x'";
    assert.deepEqual((await query(ws, { request: 'x' })).response, { error_code: 411, error: unknown });
    const configure = (await query(ws, { request: 'configure' })).response as { error_code: number };
    assert.equal(configure.error_code, 411);
    assert.deepEqual((await query('x')).error, { code: 460, reason: 'Invalid transport' });
    assert.equal((await query(undefined)).error?.code, 456);
    assert.equal((await query(ws, 7)).error?.code, 467);
  });

  test('there are no event handlers, loggers, STUN tests and captures, and it says so', async () => {
    assert.equal((await errorOf({ janus: 'query_eventhandler', handler: 'x' })).code, 460);
    assert.equal((await errorOf({ janus: 'query_eventhandler' })).code, 456);
    assert.equal((await errorOf({ janus: 'query_logger', logger: 'x' })).code, 460);
    assert.equal((await errorOf({ janus: 'query_logger', logger: 1 })).code, 467);
    const stun = await errorOf({ janus: 'test_stun', address: 'stun.example', port: 3478 });
    assert.equal(stun.code, 490);
    assert.match(stun.reason, /uses no STUN/);
    assert.equal((await errorOf({ janus: 'test_stun', address: 'stun.example' })).code, 456);
    const session = await client.create();
    const { id } = await client.attach(session);
    for (const verb of ['start_pcap', 'stop_pcap', 'start_text2pcap', 'stop_text2pcap']) {
      const { code, reason } = await errorOf({ janus: verb, session_id: session, handle_id: id });
      assert.equal(code, 490);
      assert.match(reason, /no captures/);
    }
  });

  test('custom_event and custom_logline write to the log, each one line', async () => {
    await fieldsOf({ janus: 'custom_event', schema: 'party', data: { guests: 3 } });
    await logged(server, /external event schema="party" data="\{\\"guests\\":3\}"/);
    await fieldsOf({ janus: 'custom_logline', line: 'never written', level: 0 });
    await fieldsOf({ janus: 'custom_logline', line: 'forged\n12:00:00.000 info joined', level: 2 });
    await logged(server, /error custom line line="forged\\n12:00:00\.000 info joined"/);
    assert.ok(!server.output().includes('never written'));
    assert.equal((await errorOf({ janus: 'custom_event', schema: 'x', data: [] })).code, 467);
    assert.equal((await errorOf({ janus: 'custom_event', data: {} })).code, 456);
    assert.equal((await errorOf({ janus: 'custom_logline', line: 'x', level: 8 })).code, 467);
    assert.equal((await errorOf({ janus: 'custom_logline' })).code, 456);
  });

  test('resolve_address resolves what the machine can', async () => {
    for (const { ask } of asks) {
      const { ip, elapsed } = await ask({ janus: 'resolve_address', address: '127.0.0.1' });
      assert.equal(ip, '127.0.0.1');
      assert.ok(Number.isInteger(elapsed) && Number(elapsed) >= 0);
    }
    for (const address of ['', 'x'.repeat(300)]) {
      const { code, reason } = await errorOf({ janus: 'resolve_address', address });
      assert.equal(code, 490);
      assert.match(reason, /^Could not resolve address: /);
    }
    assert.equal((await errorOf({ janus: 'resolve_address' })).code, 456);
  });

  test('loops_info tells of each worker', async () => {
    for (const { ask } of asks) {
      const { loops } = (await ask({ janus: 'loops_info' })) as Reply & { loops: Record<string, unknown>[] };
      assert.deepEqual(
        loops.map(({ id, running, handles, faults, drops }) => ({ id, running, handles, faults, drops })),
        [0, 1].map((id) => ({ id, running: true, handles: 0, faults: 0, drops: {} })),
      );
    }
  });
});
