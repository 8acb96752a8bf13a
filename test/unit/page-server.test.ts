import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { dashboardHandler } from '../../src/http/dashboard.js';
import { HttpListener } from '../../src/http/listener.js';
import { pageHandler } from '../../src/http/page.js';
import { sendRaw } from '../support/raw-http.js';

const LONG_SCRIPT = 'export const answer = 42; // and so on\n'.repeat(200);

describe('the page', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-page-'));
  const site = path.join(folder, 'web');
  const clientFolder = path.join(folder, 'client');
  const limits = { connectionsMax: 100, stillTimeout: 60_000 };
  const listener = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
  let port = 0;
  let origin = '';

  /** As the server sent it: `fetch` would unpack it. */
  function getRaw(url: string, headers: Record<string, string>) {
    return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }>(
      (resolve, reject) => {
        const request = get(origin + url, { headers, agent: false }, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
        });
        request.on('error', reject);
      },
    );
  }

  before(async () => {
    mkdirSync(path.join(site, 'parts'), { recursive: true });
    mkdirSync(clientFolder);
    writeFileSync(path.join(folder, 'secret.html'), 'secret');
    writeFileSync(path.join(site, 'index.html'), '<!doctype html><title>here</title>');
    writeFileSync(path.join(site, 'main.js'), 'export {};');
    writeFileSync(path.join(site, 'long.js'), LONG_SCRIPT);
    writeFileSync(path.join(site, 'style.css'), 'body {}');
    mkdirSync(path.join(site, 'dashboard'));
    mkdirSync(path.join(site, 'shared'));
    writeFileSync(path.join(site, 'dashboard', 'index.html'), '<!doctype html><title>dashboard</title>');
    writeFileSync(path.join(site, 'shared', 'theme.css'), 'body {}');
    writeFileSync(path.join(site, 'notes.txt'), 'not a part of the page');
    writeFileSync(path.join(site, 'parts', 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    writeFileSync(path.join(clientFolder, 'index.js'), 'export {};');
    writeFileSync(path.join(clientFolder, 'index.d.ts'), 'export {};');
    listener.mount('/', pageHandler({ wsPort: 8188, folder: site, clientFolder }));
    port = await listener.listen();
    origin = `http://127.0.0.1:${port}`;
  });

  after(async () => {
    await listener.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('serves each kind of file with its type, the index at the root, and the client’s modules beside the page', async () => {
    for (const [url, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/index.html?room=a', 'text/html; charset=utf-8'],
      ['/main.js', 'text/javascript; charset=utf-8'],
      ['/style.css', 'text/css; charset=utf-8'],
      ['/parts/icon.svg', 'image/svg+xml'],
      ['/src/client/index.js', 'text/javascript; charset=utf-8'],
    ] as const) {
      const response = await fetch(origin + url);
      assert.equal(response.status, 200, url);
      assert.equal(response.headers.get('content-type'), type, url);
      assert.ok((await response.text()).length > 0);
    }
  });

  test('tells the page the signalling port', async () => {
    const response = await fetch(`${origin}/config.json`);
    assert.deepEqual(await response.json(), { wsPort: 8188, iceServers: [] });
  });

  test('sends a content security policy that allows scripts from here only, with every answer', async () => {
    for (const url of ['/', '/missing']) {
      const { headers } = await fetch(origin + url);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /script-src 'self'(;|$)/);
      assert.match(policy, /connect-src 'self' ws:\/\/\*:8188 wss:\/\/\*:8188/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
  });

  test('answers an unchanged file with 304 and HEAD without a body', async () => {
    const etag = (await fetch(`${origin}/main.js`)).headers.get('etag') ?? '';
    assert.equal((await fetch(`${origin}/main.js`, { headers: { 'If-None-Match': etag } })).status, 304);
    const head = await fetch(`${origin}/main.js`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '10');
    assert.equal(await head.text(), '');
  });

  test('sends a file packed as the client takes it, each form with a tag of its own', async () => {
    const plain = Buffer.from(LONG_SCRIPT);
    const tags = new Set<string>();
    for (const [accepted, encoding, unpack] of [
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['gzip;q=0.5, br;q=0', 'gzip', gunzipSync],
      ['*', 'br', brotliDecompressSync],
      ['identity', '', (body: Buffer) => body],
      ['', '', (body: Buffer) => body],
    ] as const) {
      const { headers, body } = await getRaw('/long.js', { 'Accept-Encoding': accepted });
      assert.equal(headers['content-encoding'] ?? '', encoding, accepted);
      assert.equal(headers.vary, 'Accept-Encoding');
      assert.deepEqual(unpack(body), plain);
      assert.equal(headers['content-length'], String(body.length));
      assert.ok(encoding === '' || body.length < plain.length / 2);
      tags.add(String(headers.etag));
      const again = await getRaw('/long.js', {
        'Accept-Encoding': accepted,
        'If-None-Match': `"x", W/${headers.etag}`,
      });
      assert.deepEqual([again.status, again.body.length], [304, 0]);
    }
    assert.equal(tags.size, 3);
    const short = await getRaw('/main.js', { 'Accept-Encoding': 'br' });
    assert.equal(short.headers['content-encoding'], undefined, 'what is one packet anyhow is left as it is');
  });

  test('keeps the dashboard for the Admin port, which serves it and nothing else of the page', async () => {
    assert.equal((await fetch(`${origin}/dashboard/index.html`)).status, 404);
    const admin = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
    admin.mount('/', dashboardHandler(site));
    const base = `http://127.0.0.1:${await admin.listen()}`;
    try {
      const led = await fetch(`${base}/`);
      assert.deepEqual([led.status, led.url], [200, `${base}/dashboard/`]);
      assert.match(led.headers.get('content-security-policy') ?? '', /connect-src 'self';/);
      assert.equal((await fetch(`${base}/dashboard`)).url, `${base}/dashboard/`);
      assert.equal((await fetch(`${base}/shared/theme.css`)).status, 200);
      assert.equal((await fetch(`${base}/main.js`)).status, 404);
      assert.equal((await fetch(`${base}/index.html`)).status, 404);
    } finally {
      await admin.close();
    }
    assert.ok(dashboardHandler(path.join(folder, 'none')), 'the Admin API does without');
  });

  test('answers unknown paths, other files of the folder and every way out of it with 404', async () => {
    for (const target of [
      '/missing.js',
      '/notes.txt',
      '/../secret.html',
      '/parts/../../secret.html',
      '/%2e%2e/secret.html',
      '/..%2fsecret.html',
      '/parts/..\\..\\secret.html',
      '//secret.html',
      '/index.html%00',
      '/__proto__',
      '/src/client/index.d.ts',
      '/src/client/../../secret.html',
      'http://elsewhere/secret.html',
    ]) {
      const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, target);
      assert.doesNotMatch(answer, /secret(?!\.html)/, target);
    }
  });

  test('refuses other methods with 405, where there is something; elsewhere with 404, as the API does', async () => {
    assert.equal((await fetch(`${origin}/other`, { method: 'POST', body: 'x' })).status, 404);
    const post = await fetch(`${origin}/`, { method: 'POST', body: 'x' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
  });

  test('says what to do when it is not built, and does without the client’s modules', () => {
    assert.throws(() => pageHandler({ wsPort: 8188, folder: path.join(folder, 'none') }), /npm run build/);
    assert.throws(() => pageHandler({ wsPort: 8188, folder: path.join(site, 'parts') }), /npm run build/);
    assert.ok(pageHandler({ wsPort: 8188, folder: site, clientFolder: path.join(folder, 'none') }));
  });
});
