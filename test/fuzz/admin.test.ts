/** Whatever an operator, or somebody who guesses the secret, sends gets exactly one reply of a known form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADMIN_SECRET, adminOverWebSocket } from '../support/admin-client.js';
import { JanusClient, type Received } from '../support/janus-client.js';
import { anyJson } from '../support/request-drafts.js';
import { startServer } from '../support/server.js';

const VERBS = [
  ...['ping', 'info', 'get_status', 'list_sessions', 'list_rooms', 'kick', 'loops_info', 'message_plugin'],
  ...['query_transport', 'query_eventhandler', 'query_logger', 'custom_event', 'custom_logline', 'test_stun'],
  ...['set_session_timeout', 'set_log_level', 'set_log_timestamps', 'set_log_colors', 'set_locking_debug'],
  ...['set_refcount_debug', 'set_min_nack_queue', 'set_nack_optimizations', 'set_no_media_timer'],
  ...['set_slowlink_threshold', 'accept_new_sessions', 'add_token', 'allow_token', 'disallow_token', 'list_tokens'],
  ...['remove_token', 'list_handles', 'handle_info', 'hangup_webrtc', 'start_pcap', 'create', 'attach', '__proto__'],
];
const FIELDS = [
  ...['timeout', 'level', 'timestamps', 'colors', 'debug', 'min_nack_queue', 'nack_optimizations', 'no_media_timer'],
  ...['slowlink_threshold', 'accept', 'plugin', 'request', 'transport', 'handler', 'logger', 'schema', 'data', 'line'],
  ...['token', 'plugins', 'address', 'port', 'room_id', 'user_id', 'plugin_only', 'id', '__proto__'],
];
const CODES = new Set([403, 456, 457, 458, 459, 460, 467, 470, 490]);
const BATCH = 50;
const BATCHES = 30;

const odd = fc.constantFrom<unknown>(
  null,
  true,
  '',
  '7',
  -1,
  0,
  0.5,
  7,
  2 ** 60,
  [],
  {},
  'x'.repeat(500),
  ['a'],
  'ann',
);
const good = fc.constantFrom<unknown>('janus.plugin.sfu', 'lobby', 3, true, { request: 'connections' });
const values = fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(odd, good, anyJson), { maxKeys: 4 });
const request = fc.record({
  verb: fc.oneof({ weight: 9, arbitrary: fc.constantFrom<unknown>(...VERBS) }, { weight: 1, arbitrary: odd }),
  secret: fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>(ADMIN_SECRET) }, { weight: 1, arbitrary: odd }),
  at: fc.constantFrom('server', 'session', 'handle', 'odd'),
  ids: fc.tuple(odd, odd),
  values,
});

test('any request to the Admin API gets one reply, and without the secret it changes nothing', {
  timeout: 60_000,
}, async () => {
  const server = await startServer({
    env: { ADMIN_SECRET, TOKEN_AUTH: 'true', API_SECRET: 'x', WS_REQUEST_RATE: '100000', WS_REQUEST_BURST: '100000' },
  });
  const { client: admin, ask } = await adminOverWebSocket(server);
  const client = await JanusClient.connect(server.wsUrl);
  const session = (await client.request({ janus: 'create', apisecret: 'x' })).data?.id ?? 0;
  const attach = { janus: 'attach', apisecret: 'x', session_id: session, plugin: 'janus.plugin.sfu' };
  const handle = (await client.request(attach)).data?.id ?? 0;
  const places: Record<string, object> = {
    server: {},
    session: { session_id: session },
    handle: { session_id: session, handle_id: handle },
  };
  const settings = async () => (await ask({ janus: 'get_status' })).status;
  try {
    const requests = fc.sample(request, { numRuns: BATCH * BATCHES, seed: 20261122 });
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const from = admin.received.length;
      const before = await settings();
      const strangers = batch % 5 === 0;
      const sent = requests.slice(batch * BATCH, (batch + 1) * BATCH).map((one, index) => {
        const ids = places[one.at] ?? { session_id: one.ids[0], handle_id: one.ids[1] };
        const transaction = `${batch}/${index}`;
        const secret = strangers ? 'a guess' : one.secret;
        const message = { ...one.values, janus: one.verb, transaction, admin_secret: secret, ...ids };
        admin.send(message);
        return { message, transaction, secret };
      });
      await ask({ janus: 'ping' });
      const replies = admin.received.slice(from);
      const repliesTo = (transaction: string) => replies.filter((reply) => reply.transaction === transaction);
      for (const { message, transaction, secret } of sent) {
        const text = JSON.stringify(message);
        // What says nothing of its verb is answered without a transaction.
        if (typeof message.janus !== 'string') continue;
        const first = await admin.until((one) => one.transaction === transaction, `the reply to ${text}`, from);
        assert.ok(repliesTo(transaction).length <= 1, text);
        assertForm(first, text);
        if (secret !== ADMIN_SECRET && first.janus !== 'pong' && first.janus !== 'server_info') {
          assert.ok(first.error?.code === 403 || first.error?.code === 458, `${text} got ${JSON.stringify(first)}`);
        }
      }
      const nameless = sent.filter(({ message }) => typeof message.janus !== 'string').length;
      assert.equal(admin.received.slice(from).filter((one) => one.transaction === undefined).length, nameless);
      if (strangers) assert.deepEqual(await settings(), before);
    }
    const { sessions } = (await ask({ janus: 'list_sessions' })) as Received & { sessions: number[] };
    assert.deepEqual(sessions, [session]);
  } finally {
    await admin.close();
    await client.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});

function assertForm(reply: Received, request: string): void {
  const known = ['success', 'error', 'pong', 'server_info'].includes(String(reply.janus));
  assert.ok(known, `${request} got ${JSON.stringify(reply)}`);
  if (reply.janus !== 'error') return;
  assert.ok(reply.error && CODES.has(reply.error.code), `${request} got ${JSON.stringify(reply)}`);
  assert.ok(!reply.error.reason.includes('its log says why'), `${request} made the server fail`);
}
