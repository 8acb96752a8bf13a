/** What supervisors and load balancers ask. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN_SECRET, adminOverHttp } from '../support/admin-client.js';
import { type RunningServer, startServer } from '../support/server.js';

let server: RunningServer;
before(async () => {
  server = await startServer({ env: { ADMIN_SECRET }, workers: 2 });
});
after(() => server.stop());

async function ask(path: string, method = 'GET') {
  const response = await fetch(server.httpUrl + path, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('a server that is well', () => {
  for (const path of ['/healthz', '/readyz']) {
    test(`answers 200 at ${path}, never from a cache`, async () => {
      const { status, text, headers } = await ask(path);
      assert.deepEqual([status, JSON.parse(text)], [200, { status: 'ok' }]);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
      const head = await ask(path, 'HEAD');
      assert.deepEqual([head.status, head.text], [200, '']);
      assert.deepEqual([(await ask(path, 'POST')).status, (await ask(`${path}?x=1`)).status], [405, 200]);
    });
  }
});

describe('a server that takes no new sessions', () => {
  test('is alive but not ready, and says why', async () => {
    const admin = adminOverHttp(server);
    await admin({ janus: 'accept_new_sessions', accept: false });
    const { status, text } = await ask('/readyz');
    assert.deepEqual(
      [status, JSON.parse(text)],
      [503, { status: 'unavailable', reasons: ['no new sessions are taken'] }],
    );
    assert.equal((await ask('/healthz')).status, 200);
    await admin({ janus: 'accept_new_sessions', accept: true });
    assert.equal((await ask('/readyz')).status, 200);
  });
});
