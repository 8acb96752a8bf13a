/** The Admin API's token verbs, and what they let clients do (janus-api.md 7 and 8). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN_SECRET, type Ask, adminOverHttp, logged } from '../support/admin-client.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const PLUGIN = 'janus.plugin.sfu';
const DISABLED = { code: 490, reason: 'Stored-Token based authentication disabled' };

describe('stored tokens', () => {
  let server: RunningServer;
  let ask: Ask;
  let client: JanusClient;
  before(async () => {
    server = await startServer({ env: { ADMIN_SECRET, TOKEN_AUTH: 'true', TOKENS_MAX: '3', LOG_LEVEL: 'debug' } });
    ask = adminOverHttp(server);
    client = await JanusClient.connect(server.wsUrl);
  });
  after(async () => {
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  const create = (token?: string) => client.request({ janus: 'create', ...(token === undefined ? {} : { token }) });
  const attach = async (token: string, session?: number) =>
    client.request({ janus: 'attach', plugin: PLUGIN, token, session_id: session ?? (await create(token)).data?.id });
  const dataOf = async (fields: Record<string, unknown>) => (await ask(fields)).data;
  const errorOf = async (fields: Record<string, unknown>) => (await ask(fields)).error;

  test('let a client in from when they are added until they are removed', async () => {
    assert.equal((await create('guest')).error?.code, 403);
    assert.deepEqual(await dataOf({ janus: 'add_token', token: 'guest' }), { plugins: [PLUGIN] });
    assert.deepEqual(await dataOf({ janus: 'list_tokens' }), {
      tokens: [{ token: 'guest', allowed_plugins: [PLUGIN] }],
    });
    const session = (await create('guest')).data?.id ?? 0;
    assert.equal((await attach('guest', session)).janus, 'success');
    assert.equal((await ask({ janus: 'remove_token', token: 'guest' })).janus, 'success');
    const keepalive = await client.request({ janus: 'keepalive', session_id: session, token: 'guest' });
    assert.equal(keepalive.error?.code, 403);
    assert.deepEqual(await dataOf({ janus: 'list_tokens' }), { tokens: [] });
    assert.deepEqual(await errorOf({ janus: 'remove_token', token: 'guest' }), {
      code: 490,
      reason: 'Error removing token',
    });
  });

  test('may be kept from the plugin, and allowed it again', async () => {
    assert.deepEqual(await dataOf({ janus: 'add_token', token: 'visitor', plugins: ['other', 7] }), { plugins: [] });
    assert.deepEqual(await dataOf({ janus: 'list_tokens' }), { tokens: [] });
    const refused = await attach('visitor');
    assert.deepEqual(refused.error, { code: 405, reason: `Provided token can't access plugin '${PLUGIN}'` });
    const allow = { janus: 'allow_token', token: 'visitor', plugins: [PLUGIN] };
    assert.deepEqual(await dataOf(allow), { plugins: [PLUGIN] });
    assert.equal((await attach('visitor')).janus, 'success');
    assert.deepEqual(await dataOf({ ...allow, janus: 'disallow_token' }), { plugins: [] });
    assert.equal((await attach('visitor')).error?.code, 405);
    await ask({ janus: 'remove_token', token: 'visitor' });
  });

  test('are as many as the server holds', async () => {
    for (const token of ['1', '2', '3']) assert.equal((await ask({ janus: 'add_token', token })).janus, 'success');
    const { code, reason } = (await errorOf({ janus: 'add_token', token: '4' })) ?? { code: 0, reason: '' };
    assert.equal(code, 490);
    assert.match(reason, /TOKENS_MAX/);
    for (const token of ['1', '2', '3']) await ask({ janus: 'remove_token', token });
  });

  test('need well-formed requests', async () => {
    for (const janus of ['add_token', 'allow_token', 'disallow_token', 'remove_token']) {
      assert.equal((await errorOf({ janus, plugins: [PLUGIN] }))?.code, 456);
      assert.equal((await errorOf({ janus, token: 7, plugins: [PLUGIN] }))?.code, 467);
    }
    assert.equal((await errorOf({ janus: 'add_token', token: 'x', plugins: PLUGIN }))?.code, 467);
    assert.equal((await errorOf({ janus: 'add_token', token: 'x', plugins: null }))?.code, 467);
    assert.deepEqual(await dataOf({ janus: 'add_token', token: 'known', plugins: [] }), { plugins: [PLUGIN] });
    for (const janus of ['allow_token', 'disallow_token']) {
      for (const [plugins, type] of [
        [undefined, 'a non-empty array'],
        [[], 'a non-empty array'],
        ['x', 'an array'],
        [null, 'an array'],
      ]) {
        const reason = `Invalid element type (plugins should be ${type})`;
        assert.deepEqual(await errorOf({ janus, token: 'x', plugins }), { code: 467, reason });
      }
      for (const plugins of [['other'], [PLUGIN, 7]]) {
        assert.deepEqual(await errorOf({ janus, token: 'x', plugins }), { code: 470, reason: 'Token x not found' });
        assert.equal((await errorOf({ janus, token: 'known', plugins }))?.code, 467, JSON.stringify(plugins));
      }
    }
    await ask({ janus: 'remove_token', token: 'known' });
  });

  test('are shown by handle_info and never logged', async () => {
    await ask({ janus: 'add_token', token: 'a secret token' });
    const session = (await create('a secret token')).data?.id ?? 0;
    const handle = (await attach('a secret token', session)).data?.id ?? 0;
    const { info } = await ask({ janus: 'handle_info', session_id: session, handle_id: handle });
    assert.equal((info as { token: string }).token, 'a secret token');
    await ask({ janus: 'remove_token', token: 'a secret token' });
    await ask({ janus: 'custom_logline', line: 'the end' });
    await logged(server, /the end/);
    assert.ok(!server.output().includes('a secret token'));
  });
});

for (const [what, env] of [
  ['no tokens', {}],
  ['signed tokens', { TOKEN_AUTH: 'true', TOKEN_AUTH_SECRET: 'signing' }],
] as const) {
  test(`with ${what} the token verbs are refused`, async () => {
    const server = await startServer({ env: { ADMIN_SECRET, ...env } });
    try {
      const ask = adminOverHttp(server);
      for (const janus of ['add_token', 'allow_token', 'disallow_token', 'list_tokens', 'remove_token']) {
        assert.deepEqual((await ask({ janus, token: 'x', plugins: [PLUGIN] })).error, DISABLED);
      }
      const { status } = await ask({ janus: 'get_status' });
      assert.equal((status as { token_auth: boolean }).token_auth, 'TOKEN_AUTH' in env);
    } finally {
      assert.equal(await server.stop(), 0);
    }
  });
}
