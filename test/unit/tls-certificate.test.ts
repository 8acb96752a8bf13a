/** The certificate that follows its files. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { readTlsPair, TlsCertificate } from '../../src/http/tls.js';
import {
  certificateFiles,
  installCertificate,
  makeCertificate,
  type TestCertificate,
} from '../support/certificates.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-tls-'));
after(() => rmSync(root, { recursive: true, force: true }));

const NAMES = { cert: 'cert.pem', key: 'key.pem' };
const read = (cert: string, key: string) => readTlsPair(NAMES, Buffer.from(cert), Buffer.from(key));

describe('a pair of certificate and key', () => {
  test('says for which names it is and until when', async () => {
    const { cert, key } = await makeCertificate({ name: 'sfu.example.org', days: 30 });
    const { names, validTo } = read(cert, key);
    assert.deepEqual(names, ['sfu.example.org']);
    assert.ok(Math.abs(validTo - Date.now() - 30 * 86_400_000) < 60_000);
  });

  test('is refused with the setting, the file and what is wrong', async () => {
    const one = await makeCertificate();
    const other = await makeCertificate();
    const weak = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const locked = weak.privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();
    for (const [cert, key, problem] of [
      [one.cert, other.key, /^TLS_KEY="key.pem": it is not the key of the certificate cert.pem/],
      ['nothing', one.key, /^TLS_CERT="cert.pem": it is no certificate in PEM/],
      [one.cert.slice(0, 200), one.key, /^TLS_CERT="cert.pem": it is no certificate/],
      [one.key, one.cert, /^TLS_CERT="cert.pem": it is no certificate/],
      [one.cert, one.cert, /^TLS_KEY="key.pem": it is no private key/],
      [one.cert, locked, /^TLS_KEY="key.pem": .*passphrase/],
      [
        `${one.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
        one.key,
        /^TLS_CERT="cert.pem": it (is no certificate|can not be served)/,
      ],
    ] as const) {
      assert.throws(() => read(cert, key), { message: problem });
    }
  });
});

/** A certificate on files of its own, with what it logs, and a wait for its next change or line. */
async function opened(name: string, prepare: (folder: string, pair: TestCertificate) => void = installCertificate) {
  const folder = path.join(root, name);
  mkdirSync(folder);
  const first = await makeCertificate({ name: 'first.example' });
  prepare(folder, first);
  const { TLS_CERT: cert, TLS_KEY: key } = certificateFiles(folder);
  const lines: string[] = [];
  let told = () => {};
  const certificate = new TlsCertificate({ cert, key }, (level, message, fields) => {
    if (level === 'debug') return;
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    told();
  });
  certificate.watch();
  /** Resolves when so many lines are there. */
  const said = (count: number) =>
    new Promise<void>((resolve) => {
      told = () => lines.length >= count && resolve();
      told();
    });
  return { folder, certificate, lines, said, first, cert, key };
}

describe('a certificate follows its files', { timeout: 60_000 }, () => {
  test('that are replaced by renames, again and again', async () => {
    const { folder, certificate, lines, said } = await opened('renamed');
    let taken: Buffer | null = null;
    certificate.onChange((context) => {
      taken = context.cert;
      assert.equal(context.minVersion, 'TLSv1.2');
    });
    for (const [count, name] of ['second.example', 'third.example'].entries()) {
      const next = await makeCertificate({ name });
      installCertificate(folder, next);
      await said(count + 1);
      assert.deepEqual(certificate.pair.names, [name]);
      assert.deepEqual(taken, Buffer.from(next.cert));
    }
    assert.ok(lines.every((line) => line.startsWith('info the TLS certificate was read again')));
    certificate.close();
  });

  test('that are written in place', async () => {
    const { certificate, said, cert, key } = await opened('in-place');
    const next = await makeCertificate({ name: 'second.example' });
    writeFileSync(cert, next.cert);
    writeFileSync(key, next.key);
    await said(1);
    assert.deepEqual(certificate.pair.names, ['second.example']);
    certificate.close();
  });

  test('in a folder of a Kubernetes secret, where a symbolic link beside them is swapped', async () => {
    const version = (folder: string, number: number, pair: TestCertificate) => {
      installCertificate(path.join(folder, `..version-${number}`), pair);
      symlinkSync(`..version-${number}`, path.join(folder, '..data.new'));
      renameSync(path.join(folder, '..data.new'), path.join(folder, '..data'));
    };
    const { folder, certificate, said } = await opened('secret', (target, pair) => {
      version(target, 1, pair);
      for (const file of ['cert.pem', 'key.pem']) symlinkSync(path.join('..data', file), path.join(target, file));
    });
    version(folder, 2, await makeCertificate({ name: 'second.example' }));
    await said(1);
    assert.deepEqual(certificate.pair.names, ['second.example']);
    certificate.close();
  });

  test('but keeps the old pair when the new one is bad, says so once, and takes the next good one', async () => {
    const { folder, certificate, lines, said, first } = await opened('bad');
    const other = await makeCertificate();
    installCertificate(folder, { cert: first.cert, key: other.key });
    await said(1);
    assert.match(lines[0] ?? '', /^error the new TLS certificate is not taken, the old one stays .*not the key of/);
    // The same fault once more: nothing is said, so the next line is that of the good pair.
    installCertificate(folder, { cert: first.cert, key: other.key });
    await elapse(600);
    assert.equal(lines.length, 1);
    assert.deepEqual(certificate.pair.names, ['first.example']);
    installCertificate(folder, await makeCertificate({ name: 'good.example' }));
    await said(2);
    assert.match(lines[1] ?? '', /^info .*good\.example/);
    certificate.close();
  });
});
