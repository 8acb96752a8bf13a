/** The Janus API on the wire (janus-api.md 1 to 5), against the real server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { JanusClient, type Received } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

let server: RunningServer;
let client: JanusClient;
let session: number;
let handle: number;

before(async () => {
  server = await startServer({ env: { WS_REQUEST_RATE: '100000', WS_REQUEST_BURST: '100000' } });
  client = await JanusClient.connect(server.wsUrl);
  session = await client.create();
  handle = (await client.attach(session)).id;
});

after(async () => {
  await client.close();
  assert.equal(await server.stop(), 0, server.output());
});

/** A reply in short: `success`, `error 457`. */
const short = (reply: Received) => (reply.error ? `error ${reply.error.code}` : String(reply.janus));

describe('which verb takes which ids', () => {
  const table: [verb: string, alone: string, withSession: string, withHandle: string][] = [
    ['info', 'server_info', 'error 453', 'error 453'],
    ['ping', 'pong', 'error 453', 'error 453'],
    ['create', 'success', 'error 453', 'error 453'],
    ['keepalive', 'error 457', 'ack', 'ack'],
    ['claim', 'error 457', 'success', 'success'],
    ['attach', 'error 457', 'success', 'error 457'],
    ['destroy', 'error 457', 'success', 'error 457'],
    ['message', 'error 457', 'error 457', 'ack'],
    ['trickle', 'error 457', 'error 457', 'ack'],
    ['hangup', 'error 457', 'error 457', 'success'],
    ['detach', 'error 457', 'error 457', 'success'],
    ['nonsense', 'error 457', 'error 453', 'error 453'],
  ];
  for (const [verb, alone, withSession, withHandle] of table) {
    test(`${verb}: ${alone} alone, ${withSession} with a session, ${withHandle} with a handle`, async () => {
      const own = await client.create();
      const { id } = await client.attach(own);
      const fields = { janus: verb, plugin: 'janus.plugin.sfu', body: {}, candidate: null };
      assert.equal(short(await client.request(fields)), alone);
      assert.equal(short(await client.request({ ...fields, session_id: own, handle_id: id })), withHandle);
      assert.equal(short(await client.request({ ...fields, session_id: own })), withSession);
      await client.request({ janus: 'destroy', session_id: own });
      const leftover = client.received.at(-1);
      if (verb === 'create') await client.request({ janus: 'destroy', session_id: leftover?.data?.id ?? 0 });
    });
  }
});

describe('the order of checks', () => {
  const cases: [name: string, fields: () => object, code: number, reason: string | RegExp][] = [
    ['a handle without a session', () => ({ janus: 'message', handle_id: handle }), 458, 'Session not found'],
    [
      'a handle that is a text',
      () => ({ janus: 'message', session_id: session, handle_id: 'x' }),
      459,
      'Handle not found',
    ],
    ['an unknown session', () => ({ janus: 'keepalive', session_id: 999 }), 458, 'No such session 999'],
    ['a negative session', () => ({ janus: 'keepalive', session_id: -4 }), 458, 'No such session -4'],
    [
      'an unknown handle',
      () => ({ janus: 'keepalive', session_id: session, handle_id: 55 }),
      459,
      /^No such handle 55 in session \d+$/,
    ],
    [
      'an unknown handle before an unknown verb',
      () => ({ janus: 'nope', session_id: session, handle_id: 55 }),
      459,
      /^No such handle/,
    ],
    ['an unknown verb', () => ({ janus: 'nope', session_id: session }), 453, "Unknown request 'nope'"],
    [
      'a text too long for an error',
      () => ({ janus: 'x'.repeat(2000), session_id: session }),
      453,
      `Unknown request '${'x'.repeat(494)}`,
    ],
    ['an unknown plugin', () => ({ janus: 'attach', session_id: session, plugin: 'x' }), 460, "No such plugin 'x'"],
    [
      'a wrong id before everything else',
      () => ({ janus: 'nope', id: -1 }),
      467,
      'Invalid element type (id should be a positive integer)',
    ],
  ];
  for (const [name, fields, code, reason] of cases) {
    test(`${name}: ${code}`, async () => {
      const from = client.received.length;
      client.send({ transaction: 'order', ...fields() });
      const reply = await client.until((one) => one.janus === 'error', name, from);
      assert.equal(reply.error?.code, code);
      if (typeof reason === 'string') assert.equal(reply.error?.reason, reason);
      else assert.match(reply.error?.reason ?? '', reason);
    });
  }

  test('errors name the session that was claimed, and the transaction unless the envelope itself was wrong', async () => {
    const known = await client.request({ janus: 'keepalive', session_id: 999 });
    assert.deepEqual([known.session_id, typeof known.transaction], [999, 'string']);
    const from = client.received.length;
    client.send({ janus: 'keepalive', session_id: 777 });
    const broken = await client.until((one) => one.janus === 'error', 'the error', from);
    assert.deepEqual([broken.session_id, broken.transaction, broken.error?.code], [777, undefined, 456]);
  });
});

describe('replies', () => {
  test('to create and ping name no session, all others do', async () => {
    const created = await client.request({ janus: 'create' });
    assert.deepEqual(Object.keys(created), ['janus', 'transaction', 'data']);
    assert.ok(Number.isSafeInteger(created.data?.id));
    const kept = await client.request({ janus: 'keepalive', session_id: created.data?.id });
    assert.deepEqual(Object.keys(kept), ['janus', 'session_id', 'transaction']);
    const gone = await client.request({ janus: 'destroy', session_id: created.data?.id });
    assert.deepEqual([gone.janus, gone.session_id], ['success', created.data?.id]);
  });

  test('server_info has the fields that clients and operators look for', async () => {
    const info = await client.request({ janus: 'info' });
    for (const [name, type] of Object.entries({
      name: 'string',
      version: 'number',
      version_string: 'string',
      data_channels: 'boolean',
      'accepting-new-sessions': 'boolean',
      'session-timeout': 'number',
      'server-name': 'string',
      'full-trickle': 'boolean',
      transports: 'object',
      plugins: 'object',
    })) {
      assert.equal(typeof info[name], type, name);
    }
    assert.ok('janus.plugin.sfu' in (info.plugins as object));
    assert.equal(info.session_id, undefined);
  });

  test('an ack comes before its event, and the event names handle and transaction', async () => {
    const from = client.received.length;
    const event = await client.message({ session, id: handle }, {});
    const kinds = client.received.slice(from).map(({ janus }) => janus);
    assert.deepEqual(kinds, ['ack', 'event']);
    assert.deepEqual(event.plugindata, { plugin: 'janus.plugin.sfu', data: { success: true } });
    assert.deepEqual([event.session_id, event.sender], [session, handle]);
    assert.equal(event.jsep, undefined);
  });

  test('to detach is success, then detached, and the handle is unknown from then on', async () => {
    const own = await client.attach(session);
    const from = client.received.length;
    await client.toHandle(own, { janus: 'detach' });
    await client.until((one) => one.janus === 'detached' && one.sender === own.id, 'detached', from);
    assert.deepEqual(
      client.received.slice(from).map(({ janus }) => janus),
      ['success', 'detached'],
    );
    assert.equal(short(await client.toHandle(own, { janus: 'message', body: {} })), 'error 459');
  });

  test('to destroy is success and nothing else', async () => {
    const own = await client.create();
    await client.attach(own);
    const from = client.received.length;
    await client.request({ janus: 'destroy', session_id: own });
    await client.settled();
    assert.deepEqual(
      client.received.slice(from).map(({ janus }) => janus),
      ['success', 'pong'],
    );
  });

  test('of one handle come in the order of its requests', async () => {
    const from = client.received.length;
    const verbs = Array.from(
      { length: 60 },
      (_, index) => (['message', 'trickle', 'hangup'] as const)[index % 3] ?? 'hangup',
    );
    for (const [index, janus] of verbs.entries()) {
      client.send({
        janus,
        session_id: session,
        handle_id: handle,
        transaction: `o${index}`,
        body: {},
        candidate: null,
      });
    }
    await client.until((one) => one.transaction === 'o59', 'the last reply', from);
    const order = client.received.slice(from).map(({ transaction }) => Number(transaction?.slice(1)));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.equal(order.length, 80);
  });
});

describe('a frame', () => {
  /** Sends text, and says what came back before the pong of a ping behind it. */
  async function answers(data: string | Buffer, binary = Buffer.isBuffer(data)): Promise<string[]> {
    const from = client.received.length;
    client.socket.send(data, { binary });
    client.send({ janus: 'ping', transaction: 'behind' });
    await client.until((one) => one.transaction === 'behind', 'the pong behind', from);
    return client.received
      .slice(from)
      .filter((one) => one.transaction !== 'behind')
      .map((one) => `${short(one)} ${one.transaction ?? '-'}`);
  }

  test('may be binary: it is taken like text', async () => {
    assert.deepEqual(await answers(Buffer.from('{"janus":"ping","transaction":"b"}')), ['pong b']);
    assert.deepEqual(await answers(Buffer.from([0x7b, 0xff, 0x7d])), ['error 454 -']);
  });

  test('may hold several requests, each with its reply; if one is broken none counts', async () => {
    const [one, two] = ['{"janus":"ping","transaction":"1"}', '{"janus":"ping","transaction":"2"}'];
    assert.deepEqual(await answers(`${one}${two} \n`), ['pong 1', 'pong 2']);
    assert.deepEqual(await answers(`${one}${two} rubbish`), ['error 454 -']);
    assert.deepEqual(await answers('{}'.repeat(101)), ['error 454 -']);
  });

  for (const text of [
    '',
    'rubbish',
    '5',
    '"text"',
    'null',
    '{"janus":"ping",}',
    '\u0000{"janus":"ping","transaction":"x"}',
    '\ufeff{"janus":"ping","transaction":"x"}',
    '{"janus":"ping","transaction":"\\ud800"}',
  ]) {
    test(`${JSON.stringify(text)} is no JSON request: 454`, async () => {
      assert.deepEqual(await answers(text), ['error 454 -']);
    });
  }

  test('with an array has no transaction: 456', async () => assert.deepEqual(await answers('[]'), ['error 456 -']));

  test('of any JSON gets exactly one reply', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const name = fc.constantFrom(
      'janus',
      'transaction',
      'session_id',
      'handle_id',
      'id',
      'body',
      'jsep',
      'plugin',
      '__proto__',
    );
    const verb = fc.constantFrom('ping', 'info', 'keepalive', 'attach', 'message', 'trickle', 'hangup', 'nope');
    const request = fc
      .tuple(fc.dictionary(name, value), verb, fc.boolean(), fc.boolean())
      .map(([fields, janus, withSession, withHandle]) => ({
        janus,
        transaction: 'p',
        ...(withSession && { session_id: session }),
        ...(withHandle && { handle_id: handle }),
        ...fields,
      }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.dictionary(fc.string(), value), fc.array(value)), async (document) => {
        const replies = (await answers(JSON.stringify(document))).filter((one) => !one.startsWith('event'));
        assert.equal(replies.length, 1, replies.join());
      }),
      { seed: 5, numRuns: 400 },
    );
    assert.equal(short(await client.request({ janus: 'keepalive', session_id: session })), 'ack');
  });

  test('whose fields are called __proto__ changes nothing', async () => {
    assert.deepEqual(await answers('{"__proto__":{"janus":"ping","transaction":"x"}}'), ['error 456 -']);
    assert.deepEqual(await answers('{"janus":"ping","transaction":"__proto__","constructor":{"prototype":{}}}'), [
      'pong __proto__',
    ]);
  });
});

describe('a session', () => {
  test('W13: is its connection’s own: a stranger finds nothing, until it claims it (hole m)', async () => {
    const stranger = await JanusClient.connect(server.wsUrl);
    const own = await client.create();
    for (const janus of ['keepalive', 'attach', 'destroy']) {
      const reply = await stranger.request({ janus, session_id: own, plugin: 'janus.plugin.sfu' });
      assert.deepEqual(reply.error, { code: 458, reason: `No such session ${own}` });
    }
    assert.equal(short(await stranger.request({ janus: 'claim', session_id: own })), 'success');
    assert.equal(short(await stranger.request({ janus: 'keepalive', session_id: own })), 'ack');
    assert.equal(short(await client.request({ janus: 'keepalive', session_id: own })), 'error 458');
    await stranger.close();
    // Its id is free again once the server has seen the close, too.
    const deadline = performance.now() + 2000;
    let reply = await client.request({ janus: 'create', id: own });
    while (reply.error?.code === 468 && performance.now() < deadline)
      reply = await client.request({ janus: 'create', id: own });
    assert.deepEqual(reply.data, { id: own });
  });

  test('can be asked for by id, once', async () => {
    const taken = await client.request({ janus: 'create', id: 424242 });
    assert.equal(taken.data?.id, 424242);
    const again = await client.request({ janus: 'create', id: 424242 });
    assert.deepEqual([again.error?.code, again.session_id], [468, 424242]);
    await client.request({ janus: 'destroy', session_id: 424242 });
  });
});
