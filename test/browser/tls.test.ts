/** The page over https: signalling by wss, with a certificate that the browser is told to take. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { chromiumMissing, launchBrowser } from '../support/browser.js';
import { certificateFiles, installCertificate, makeCertificate } from '../support/certificates.js';
import { Guest } from '../support/page-guest.js';
import { startServer } from '../support/server.js';

/** What Chromium takes in place of a signature: the hash of the certificate's key (RFC 7469 2.4). */
function keyHash(cert: string): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

test('a person on the page over https gets into a room over wss', {
  skip: chromiumMissing(),
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-tls-page-'));
  const pair = await makeCertificate();
  installCertificate(folder, pair);
  const server = await startServer({ env: certificateFiles(folder) });
  const browser = await launchBrowser([`--ignore-certificate-errors-spki-list=${keyHash(pair.cert)}`]);
  try {
    assert.match(server.httpUrl, /^https:/);
    const guest = await Guest.open(browser, server.httpUrl, 'ada');
    await guest.joined();
    assert.equal(await guest.tested.run<boolean>('window.isSecureContext'), true);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  assert.equal(await server.stop(), 0, server.output());
});
