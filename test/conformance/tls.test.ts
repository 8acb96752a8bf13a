/** A server with a certificate of its own: `wss` and `https`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { certificateFiles, getSecurely, installCertificate, makeCertificate } from '../support/certificates.js';
import { runCommand } from '../support/command.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-tls-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Settings that name a certificate of its own. */
async function settings(name: string, options: Parameters<typeof makeCertificate>[0] = {}) {
  const folder = path.join(root, name);
  const pair = await makeCertificate(options);
  installCertificate(folder, pair);
  return { folder, pair, env: certificateFiles(folder) };
}

/** The name on the certificate that a port shows now; rejects if there is no handshake. */
async function shownBy(port: number, ca: string, versions: object = {}): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca, rejectUnauthorized: false, ...versions });
  await once(socket, 'secureConnect');
  const { subjectaltname = '' } = socket.getPeerCertificate();
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
  return /DNS:([^,]+)/.exec(subjectaltname)?.[1] ?? '';
}

describe('a server with a certificate', () => {
  let server: RunningServer;
  let own: Awaited<ReturnType<typeof settings>>;
  const portOf = (url: string) => Number(new URL(url).port);
  before(async () => {
    own = await settings('own', { name: 'sfu.example.org' });
    server = await startServer({ env: own.env });
  });
  after(() => server.stop());

  test('says https and wss at its start, with a name of the certificate', () => {
    assert.match(server.output(), /^ {2}page +https:\/\/sfu\.example\.org:\d+\/$/m);
    assert.match(server.output(), /^ {2}signalling +wss:\/\/sfu\.example\.org:\d+\/ /m);
  });

  test('takes users into rooms over wss, and serves page, API and health over https', async () => {
    const { cert: ca } = own.pair;
    const client = await JanusClient.connect(server.wsUrl, 'janus-protocol', { ca });
    await client.join('lobby', 'ann', { data: true });
    const page = await getSecurely(`${server.httpUrl}/`, ca);
    assert.match(page.text, /<title>/);
    assert.match(String(page.headers['content-security-policy']), new RegExp(`wss://\\*:${portOf(server.wsUrl)}`));
    const config = JSON.parse((await getSecurely(`${server.httpUrl}/config.json`, ca)).text);
    assert.equal(config.wsPort, portOf(server.wsUrl));
    assert.equal((await getSecurely(`${server.httpUrl}/healthz`, ca)).status, 200);
    assert.equal(JSON.parse((await getSecurely(`${server.httpUrl}/janus/info`, ca)).text).janus, 'server_info');
    await client.close();
  });

  test('speaks TLS 1.2 and 1.3, and nothing older, and no plain HTTP', async () => {
    const { cert: ca } = own.pair;
    for (const url of [server.httpUrl, server.wsUrl]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const versions = { minVersion: version, maxVersion: version };
        assert.equal(await shownBy(portOf(url), ca, versions), 'sfu.example.org');
      }
      // The client's own limits are taken off, so that it is the server that refuses.
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
      await assert.rejects(shownBy(portOf(url), ca, old), /alert|version|ECONNRESET/i);
      const plain = connectPlain(portOf(url), '127.0.0.1');
      let answer = '';
      plain.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      plain.on('error', () => {});
      plain.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(plain, 'close');
      assert.doesNotMatch(answer, /HTTP/);
    }
  });

  test('shows a renewed certificate to new connections, while those that are open go on', async () => {
    const client = await JanusClient.connect(server.wsUrl, 'janus-protocol', { ca: own.pair.cert });
    await client.join('lobby', 'bob', { data: true });
    const renewed = await makeCertificate({ name: 'renewed.example.org' });
    const logged = new Promise<void>((resolve) => {
      server.process.stderr?.on('data', () => /certificate was read again/.test(server.output()) && resolve());
    });
    installCertificate(own.folder, renewed);
    await logged;
    for (const url of [server.httpUrl, server.wsUrl]) {
      assert.equal(await shownBy(portOf(url), renewed.cert), 'renewed.example.org');
    }
    await client.settled();
    await client.close();
    assert.doesNotMatch(server.output(), /PRIVATE KEY/);
  });

  test('ends with open handshakes too', async () => {
    const other = await startServer({ env: own.env });
    const half = connectPlain(portOf(other.httpUrl), '127.0.0.1');
    half.on('error', () => {});
    await once(half, 'connect');
    const startedAt = performance.now();
    assert.equal(await other.stop(), 0);
    assert.ok(performance.now() - startedAt < 15_000);
  });
});

describe('a certificate that can not be served', () => {
  test('refuses the start with one clear line and code 2', async () => {
    const { env, pair } = await settings('one');
    const other = await settings('other');
    writeFileSync(path.join(root, 'nonsense.pem'), 'nonsense');
    for (const [change, line] of [
      [
        { TLS_CERT: path.join(root, 'none.pem') },
        /^janus-sfu: TLS_CERT=".*none.pem": the file can not be read \(ENOENT\)$/,
      ],
      [{ TLS_KEY: other.env.TLS_KEY }, /^janus-sfu: TLS_KEY=.*: it is not the key of the certificate/],
      [{ TLS_CERT: path.join(root, 'nonsense.pem') }, /^janus-sfu: TLS_CERT=.*: it is no certificate in PEM$/],
      [{ TLS_KEY: path.join(root, 'nonsense.pem') }, /^janus-sfu: TLS_KEY=.*: it is no private key in PEM/],
      [{ TLS_KEY: '' }, /^janus-sfu: TLS_CERT: needs TLS_KEY$/],
    ] as const) {
      const { code, stdout, stderr } = await runCommand(['start'], { env: { ...env, ...change } });
      assert.deepEqual([code, stdout, stderr.trim().split('\n').length], [2, '', 1], stderr);
      assert.match(stderr.trim(), line);
      assert.ok(!stderr.includes(pair.key.split('\n')[1] ?? ''));
    }
  });
});

describe('check', () => {
  const topic = async (env: Record<string, string>) => {
    const ports = { WS_PORT: '0', HTTP_PORT: '0', SFU_WORKERS: '1', BLOCK_STORE: 'memory' };
    const { stdout } = await runCommand(['check'], { env: { ...ports, ...env } });
    return /^\w+ +TLS_CERT .*(\n {9}.*)?/m.exec(stdout)?.[0] ?? '';
  };

  test('says for whom and for how long a certificate is', async () => {
    const { env } = await settings('well', { name: 'a.example', days: 60.5 });
    assert.match(await topic(env), /^ok +TLS_CERT +is for a\.example, valid for 60 days \(\d{4}-\d\d-\d\d\)/);
    assert.equal(await topic({}), '');
  });

  test('warns of one that ends soon, and names one that has ended, begins later, or does not fit, as a problem', async () => {
    const soon = await settings('soon', { days: 3.5 });
    assert.match(await topic(soon.env), /^warning +TLS_CERT +the certificate is valid for 3 days .*\n +Renew it/);
    const expired = await settings('expired', { days: -1 });
    assert.match(await topic(expired.env), /^problem +TLS_CERT +the certificate has expired .*\n +Renew it/);
    const later = await settings('later', { begins: 2 });
    assert.match(await topic(later.env), /^problem +TLS_CERT +.*valid from .* only.*\n +Look at this machine/);
    assert.match(
      await topic({ ...soon.env, TLS_KEY: later.env.TLS_KEY }),
      /^problem +TLS_CERT +TLS_KEY=.*it is not the key of.*\n +Give the certificate/,
    );
  });
});
