/** Secrets and tokens on the wire: every way to be let in, with every verb (janus-api.md 7, and 3.3 steps 7 and 10). */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ADMIN_SECRET, adminOverHttp } from '../support/admin-client.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const PLUGIN = 'janus.plugin.sfu';
const API_SECRET = 'open sesame';
const SIGNING = 'only we know';
const sign = (content: string) => `${content}:${createHmac('sha1', SIGNING).update(content).digest('base64')}`;

const SIGNED = sign(`4102444800,janus,${PLUGIN}`);
const FOR_ANOTHER = sign('4102444800,janus,janus.plugin.echotest');

interface Way {
  name: string;
  env: Record<string, string>;
  /** Fields that let a request in, and may attach. */
  enough: Record<string, unknown>[];
  /** Fields that let a request in, but for an attach to the plugin: 405. */
  elsewhere: Record<string, unknown>[];
  refused: Record<string, unknown>[];
}

const NONE = [{}, { apisecret: '' }, { apisecret: 5 }, { apisecret: 'open sesam' }, { token: '' }, { token: null }];
const STORED = { enough: [{ token: 'guest' }], elsewhere: [{ token: 'poor' }], refused: [{ token: 'stranger' }] };
const SIGNED_ONES = {
  enough: [{ token: SIGNED }],
  elsewhere: [{ token: FOR_ANOTHER }],
  refused: [
    { token: sign(`1000000000,janus,${PLUGIN}`) },
    { token: sign(`4102444800,admin,${PLUGIN}`) },
    { token: SIGNED.slice(0, -2) },
    { token: `${SIGNED}:` },
    { token: SIGNED.replace('4102444800', '4102444801') },
    { token: [SIGNED] },
  ],
};
const secret = { enough: [{ apisecret: API_SECRET }], elsewhere: [], refused: [{ apisecret: [API_SECRET] }] };
/** The secret lets in, and the token that comes with it still has to fit the plugin. */
const both = (tokens: typeof STORED | typeof SIGNED_ONES) => ({
  enough: [...secret.enough, ...tokens.enough, { apisecret: API_SECRET, ...tokens.enough[0] }],
  elsewhere: [
    ...tokens.elsewhere,
    { apisecret: API_SECRET, ...tokens.elsewhere[0] },
    { apisecret: API_SECRET, token: 'stranger' },
  ],
  refused: [...secret.refused, ...tokens.refused],
});

const TOKENS = { TOKEN_AUTH: 'true' };
const SIGN = { TOKEN_AUTH: 'true', TOKEN_AUTH_SECRET: SIGNING };
const WAYS: Way[] = [
  { name: 'nothing', env: {}, enough: NONE, elsewhere: [], refused: [] },
  { name: 'a secret', env: { API_SECRET }, ...secret, refused: [...NONE, { token: 'guest' }] },
  { name: 'stored tokens', env: TOKENS, ...STORED, refused: [...NONE, ...STORED.refused, { apisecret: API_SECRET }] },
  { name: 'signed tokens', env: SIGN, ...SIGNED_ONES, refused: [...NONE, ...SIGNED_ONES.refused] },
  { name: 'a secret and stored tokens', env: { API_SECRET, ...TOKENS }, ...both(STORED) },
  { name: 'a secret and signed tokens', env: { API_SECRET, ...SIGN }, ...both(SIGNED_ONES) },
];

/** Every verb that goes to a session or handle, complete, in an order in which all of them can be served. */
const TO_SESSION = ['keepalive', 'claim', 'attach'];
const TO_HANDLE: Record<string, unknown>[] = [
  { janus: 'message', body: {} },
  { janus: 'trickle', candidate: null },
  { janus: 'hangup' },
  { janus: 'detach' },
];

for (const { name, env, enough, elsewhere, refused } of WAYS) {
  describe(`with ${name} configured`, () => {
    let server: RunningServer;
    let client: JanusClient;
    before(async () => {
      server = await startServer({
        env: { ADMIN_SECRET, SESSIONS_PER_CONNECTION: '100', WS_REQUEST_BURST: '10000', ...env },
      });
      if ('TOKEN_AUTH' in env && !('TOKEN_AUTH_SECRET' in env)) {
        const ask = adminOverHttp(server);
        for (const [token, plugins] of [
          ['guest', [PLUGIN]],
          ['poor', ['janus.plugin.echotest']],
        ]) {
          assert.equal((await ask({ janus: 'add_token', token, plugins })).janus, 'success');
        }
      }
      client = await JanusClient.connect(server.wsUrl);
    });
    after(async () => {
      await client.close();
      assert.equal(await server.stop(), 0, server.output());
    });

    const codeOf = async (fields: Record<string, unknown>) => (await client.request(fields)).error?.code ?? 0;
    const open = async (fields: Record<string, unknown>) => {
      const { data } = await client.request({ janus: 'create', ...fields });
      const attached = await client.request({ janus: 'attach', plugin: PLUGIN, session_id: data?.id, ...fields });
      return { session_id: data?.id, handle_id: attached.data?.id };
    };

    test('ping and info are for everybody', async () => {
      for (const fields of [{}, { apisecret: 'x', token: 'x' }]) {
        assert.equal((await client.request({ janus: 'ping', ...fields })).janus, 'pong');
        const info = await client.request({ janus: 'info', ...fields });
        assert.deepEqual([info.api_secret, info.auth_token], ['API_SECRET' in env, 'TOKEN_AUTH' in env]);
      }
    });

    for (const fields of [...enough, ...elsewhere]) {
      test(`${JSON.stringify(fields)} lets in, with every verb`, async () => {
        const { data } = await client.request({ janus: 'create', ...fields });
        const session = { session_id: data?.id, ...fields };
        const expected = elsewhere.includes(fields) ? 405 : 0;
        for (const janus of TO_SESSION) {
          assert.equal(await codeOf({ janus, plugin: PLUGIN, ...session }), janus === 'attach' ? expected : 0, janus);
        }
        // Where it may not attach, it may still use a handle that somebody else with the same connection attached.
        const handle = await open({ ...fields, ...enough.at(-1) });
        for (const verb of TO_HANDLE)
          assert.equal(await codeOf({ ...verb, ...handle, ...fields }), 0, String(verb.janus));
        assert.equal(await codeOf({ janus: 'nope', ...session }), 453);
        assert.equal(await codeOf({ janus: 'keepalive', ...session, session_id: 7 }), 458);
        assert.equal(await codeOf({ janus: 'destroy', ...session }), 0);
      });
    }

    for (const fields of refused) {
      test(`${JSON.stringify(fields)} does not, and learns of no session`, async () => {
        const own = await open(enough[0] ?? {});
        assert.equal(await codeOf({ janus: 'create', ...fields }), 403);
        assert.equal(
          await codeOf({ janus: 'create', id: own.session_id, ...fields }),
          403,
          'before the id is looked at',
        );
        for (const session_id of [own.session_id, 7]) {
          for (const janus of [...TO_SESSION, 'destroy', 'nope']) {
            assert.equal(await codeOf({ janus, plugin: PLUGIN, session_id, ...fields }), 403, janus);
          }
          for (const verb of TO_HANDLE) {
            assert.equal(await codeOf({ ...verb, ...own, session_id, ...fields }), 403, String(verb.janus));
          }
        }
        assert.equal(await codeOf({ janus: 'keepalive', ...own, ...enough[0] }), 0, 'the session is as before');
        assert.equal(await codeOf({ janus: 'destroy', session_id: own.session_id, ...enough[0] }), 0);
      });
    }

    test('what is wrong with the envelope is said before, and a server that drains says so first', async () => {
      const stranger = refused[0] ?? {};
      for (const fields of [{ janus: 5 }, { janus: 'create', id: -1 }]) {
        const from = client.received.length;
        client.send({ transaction: 'not echoed', ...fields, ...stranger });
        const { error } = await client.until((one) => one.janus === 'error', 'the error', from);
        assert.equal(error?.code, 467);
      }
      assert.equal(await codeOf({ janus: 'keepalive', session_id: 7, handle_id: 'x', ...stranger }), 459);
      const ask = adminOverHttp(server);
      await ask({ janus: 'accept_new_sessions', accept: false });
      assert.equal(await codeOf({ janus: 'create', ...stranger }), 472);
      await ask({ janus: 'accept_new_sessions', accept: true });
      assert.equal(await codeOf({ janus: 'create', ...stranger }), refused.length > 0 ? 403 : 0);
    });

    test('no secret and no token is in the log', () => {
      for (const text of [API_SECRET, SIGNING, SIGNED, 'guest', ADMIN_SECRET]) {
        assert.ok(!server.output().includes(text), `${text} is in the log`);
      }
    });
  });
}
