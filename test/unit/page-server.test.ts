import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HttpListener } from '../../src/http/listener.js';
import { pageHandler } from '../../src/http/page.js';
import { sendRaw } from '../support/raw-http.js';

describe('the page', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-page-'));
  const site = path.join(folder, 'web');
  const clientFolder = path.join(folder, 'client');
  const limits = { connectionsMax: 100, stillTimeout: 60_000 };
  const listener = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
  let port = 0;
  let origin = '';

  before(async () => {
    mkdirSync(path.join(site, 'parts'), { recursive: true });
    mkdirSync(clientFolder);
    writeFileSync(path.join(folder, 'secret.html'), 'secret');
    writeFileSync(path.join(site, 'index.html'), '<!doctype html><title>here</title>');
    writeFileSync(path.join(site, 'main.js'), 'export {};');
    writeFileSync(path.join(site, 'style.css'), 'body {}');
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
