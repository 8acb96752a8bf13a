/** The Admin API (janus-api.md 8), over both transports: the settings, and what the verbs about the server tell and do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logged, type Reply } from '../support/admin-client.js';
import { PLUGIN, usingAdmin } from '../support/admin-suite.js';
import { JanusClient } from '../support/janus-client.js';

const suite = usingAdmin();
const { both, fieldsOf, errorOf } = suite;

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
    await logged(suite.server, new RegExp(`"${marks.at(-1)}"`));
    const lines = suite.server.output();
    assert.deepEqual(
      marks.map((mark) => lines.includes(`"${mark}"`)),
      [true, false, false, true],
    );
  });

  test('accept_new_sessions drains the server: those that are there go on', async () => {
    const session = await suite.client.create();
    try {
      assert.deepEqual(await fieldsOf({ janus: 'accept_new_sessions', accept: false }), { accept: false });
      const refused = await suite.client.request({ janus: 'create' });
      assert.deepEqual(refused.error, { code: 472, reason: 'Currently not accepting new sessions' });
      const info = await both({ janus: 'info' });
      assert.equal(info['accepting-new-sessions'], false);
      assert.equal((await suite.client.request({ janus: 'keepalive', session_id: session })).janus, 'ack');
    } finally {
      assert.deepEqual(await fieldsOf({ janus: 'accept_new_sessions', accept: true }), { accept: true });
    }
    assert.ok((await suite.client.create()) > 0);
    const reason = 'Invalid element type (accept should be a boolean)';
    assert.deepEqual(await errorOf({ janus: 'accept_new_sessions', accept: 1 }), { code: 467, reason });
  });
});

describe('the verbs about the server', () => {
  test('list_sessions and list_handles tell all there are, whoever owns them', async () => {
    const other = await JanusClient.connect(suite.server.wsUrl);
    const session = await other.create();
    const handles = [(await other.attach(session)).id, (await other.attach(session)).id];
    const { sessions } = (await fieldsOf({ janus: 'list_sessions' })) as { sessions: number[] };
    assert.ok(sessions.includes(session));
    const listed = await fieldsOf({ janus: 'list_handles', session_id: session });
    assert.deepEqual(listed, { session_id: session, handles });
    await other.close();
  });

  test('list_rooms and message_plugin tell who is where', async () => {
    const alice = await JanusClient.connect(suite.server.wsUrl);
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

  test('a request is looked at before whom it is for, and null is none', async () => {
    const wrong = { code: 467, reason: 'Invalid element type (request should be an object)' };
    for (const [verb, field, unknown] of [
      ['message_plugin', 'plugin', 'Invalid plugin'],
      ['query_transport', 'transport', 'Invalid transport'],
      ['query_eventhandler', 'handler', 'Invalid event handler'],
      ['query_logger', 'logger', 'Invalid logger'],
    ] as const) {
      assert.equal((await errorOf({ janus: verb })).code, 456);
      assert.equal((await errorOf({ janus: verb, [field]: 1 })).code, 467);
      for (const request of [null, 'x', []]) {
        assert.deepEqual(await errorOf({ janus: verb, [field]: 'x', request }), wrong);
      }
      assert.deepEqual(await errorOf({ janus: verb, [field]: 'x', request: {} }), { code: 460, reason: unknown });
    }
  });

  test('there are no STUN tests and captures, and it says so', async () => {
    const stun = await errorOf({ janus: 'test_stun', address: 'stun.example', port: 3478 });
    assert.equal(stun.code, 490);
    assert.match(stun.reason, /uses no STUN/);
    assert.equal((await errorOf({ janus: 'test_stun', address: 'stun.example' })).code, 456);
    const session = await suite.client.create();
    const { id } = await suite.client.attach(session);
    for (const verb of ['start_pcap', 'stop_pcap', 'start_text2pcap', 'stop_text2pcap']) {
      const { code, reason } = await errorOf({ janus: verb, session_id: session, handle_id: id });
      assert.equal(code, 490);
      assert.match(reason, /no captures/);
    }
  });

  test('custom_event and custom_logline write to the log, each one line', async () => {
    await fieldsOf({ janus: 'custom_event', schema: 'party', data: { guests: 3 } });
    await logged(suite.server, /external event schema="party" data="\{\\"guests\\":3\}"/);
    await fieldsOf({ janus: 'custom_logline', line: 'never written', level: 0 });
    await fieldsOf({ janus: 'custom_logline', line: 'forged\n12:00:00.000 info joined', level: 2 });
    await logged(suite.server, /error custom line line="forged\\n12:00:00\.000 info joined"/);
    assert.ok(!suite.server.output().includes('never written'));
    assert.equal((await errorOf({ janus: 'custom_event', schema: 'x', data: [] })).code, 467);
    assert.equal((await errorOf({ janus: 'custom_event', data: {} })).code, 456);
    await fieldsOf({ janus: 'custom_logline', line: 'of a level that there is not', level: 8 });
    await logged(suite.server, /info custom line line="of a level that there is not"/);
    for (const level of [-1, null, '4']) {
      assert.equal((await errorOf({ janus: 'custom_logline', line: 'x', level })).code, 467);
    }
    assert.equal((await errorOf({ janus: 'custom_logline' })).code, 456);
  });

  test('resolve_address resolves what the machine can', async () => {
    for (const { ask } of suite.asks) {
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
    for (const { ask } of suite.asks) {
      const { loops } = (await ask({ janus: 'loops_info' })) as Reply & { loops: Record<string, unknown>[] };
      assert.deepEqual(
        loops.map(({ id, running, handles, faults, drops }) => ({ id, running, handles, faults, drops })),
        [0, 1].map((id) => ({ id, running: true, handles: 0, faults: 0, drops: {} })),
      );
    }
  });
});
