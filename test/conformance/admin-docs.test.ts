/** Every example of docs/admin.md, as it stands there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ADMIN_SECRET, adminOverHttp } from '../support/admin-client.js';
import { type ClientHandle, JanusClient } from '../support/janus-client.js';
import { projectRoot } from '../support/project.js';
import { type RunningServer, startServer } from '../support/server.js';

const page = readFileSync(path.join(projectRoot, 'docs/admin.md'), 'utf8');
const examples = [...page.matchAll(/^ask '(.+)'(?: (\S+))?$/gm)].map(([, fields = '', at = '']) => ({ fields, at }));

describe('the examples of docs/admin.md', () => {
  let server: RunningServer;
  let client: JanusClient;
  let handle: ClientHandle;
  before(async () => {
    server = await startServer({ env: { ADMIN_SECRET, TOKEN_AUTH: 'true', API_SECRET: 'x' } });
    client = await JanusClient.connect(server.wsUrl);
    await enter();
  });
  after(async () => {
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  /** ann comes into the lobby. */
  async function enter(): Promise<void> {
    const apisecret = 'x';
    const session = (await client.request({ janus: 'create', apisecret })).data?.id ?? 0;
    const attach = { janus: 'attach', apisecret, session_id: session, plugin: 'janus.plugin.sfu' };
    handle = { session, id: (await client.request(attach)).data?.id ?? 0 };
    const body = { kind: 'join', room_id: 'lobby', user_id: 'ann', subscribe: { data: true } };
    const { transaction } = await client.toHandle(handle, { janus: 'message', apisecret, body });
    await client.until((one) => one.janus === 'event' && one.transaction === transaction, 'the join');
  }

  test('are there', () => assert.ok(examples.length >= 40, `${examples.length}`));

  for (const { fields, at } of examples) {
    test(`ask '${fields}' ${at}`, async () => {
      const request = JSON.parse(`{${fields}}`) as Record<string, unknown>;
      const ids = at.split('/').slice(1);
      assert.deepEqual(ids, ['$SESSION', '$HANDLE'].slice(0, ids.length));
      const reply = await adminOverHttp(server)({
        ...request,
        ...(ids.length > 0 ? { session_id: handle.session } : {}),
        ...(ids.length > 1 ? { handle_id: handle.id } : {}),
      });
      const wanted = { ping: 'pong', info: 'server_info' }[String(request.janus)] ?? 'success';
      assert.equal(reply.janus, wanted, JSON.stringify(reply));
      if (/^(kick|detach_handle|destroy_session)$/.test(String(request.janus))) await enter();
    });
  }
});
