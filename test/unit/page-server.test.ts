import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type PageServer, startPage } from '../../src/http/page.js';

describe('the page server', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-page-'));
  const site = path.join(folder, 'web');
  const said: string[] = [];
  const say = (_fields: object, message: string) => void said.push(message);
  const log = { debug: say, warn: say };
  let server: PageServer;
  let origin = '';

  before(async () => {
    mkdirSync(path.join(site, 'parts'), { recursive: true });
    writeFileSync(path.join(folder, 'secret.html'), 'secret');
    writeFileSync(path.join(site, 'index.html'), '<!doctype html><title>here</title>');
    writeFileSync(path.join(site, 'main.js'), 'export {};');
    writeFileSync(path.join(site, 'style.css'), 'body {}');
    writeFileSync(path.join(site, 'notes.txt'), 'not a part of the page');
    writeFileSync(path.join(site, 'parts', 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    server = await startPage({ port: 0, host: '127.0.0.1', wsPort: 8188, folder: site, log });
    origin = `http://127.0.0.1:${server.port}`;
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends bytes as they are (fetch would tidy the path up) and returns all that comes back. */
  async function raw(text: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  test('serves each kind of file with its type, and the index at the root', async () => {
    for (const [url, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/index.html?room=a', 'text/html; charset=utf-8'],
      ['/main.js', 'text/javascript; charset=utf-8'],
      ['/style.css', 'text/css; charset=utf-8'],
      ['/parts/icon.svg', 'image/svg+xml'],
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
      'http://elsewhere/secret.html',
    ]) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, target);
      assert.doesNotMatch(answer, /secret(?!\.html)/, target);
    }
  });

  test('refuses other methods with 405 and unreadable requests with 400', async () => {
    const post = await fetch(`${origin}/`, { method: 'POST', body: 'x' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
    assert.match(await raw('no http at all\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.ok(said.includes('page: unreadable HTTP request'));
  });

  test('cuts off a client that never finishes its headers', async () => {
    const started = performance.now();
    assert.match(await raw('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
    const elapsed = performance.now() - started;
    assert.ok(elapsed > 3_000 && elapsed < 10_000, `cut off after ${Math.round(elapsed)} ms`);
  });

  test('says what to do when the page is not built or the port is taken', async () => {
    await assert.rejects(startPage({ port: 0, wsPort: 8188, folder: path.join(folder, 'none'), log }), /npm run build/);
    await assert.rejects(
      startPage({ port: server.port, host: '127.0.0.1', wsPort: 8188, folder: site, log }),
      /EADDRINUSE/,
    );
  });
});
