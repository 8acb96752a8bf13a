/** Certificates for servers of tests, and what is asked of those servers. */
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import path from 'node:path';
import { generate } from 'selfsigned';

const DAY = 86_400_000;
const CURVE = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

export interface TestCertificate {
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** The host name that it is for; beside it, it is for 127.0.0.1. */
  name?: string;
  /** Days from now; a negative number makes an expired one. */
  days?: number;
  /** Days until it begins to be valid. */
  begins?: number;
}

/** Makes a self-signed certificate. */
export async function makeCertificate({ name = 'localhost', days = 90, begins = -100 }: CertificateOptions = {}) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...CURVE,
    notBeforeDate: new Date(Date.now() + begins * DAY),
    notAfterDate: new Date(Date.now() + days * DAY),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert, key } satisfies TestCertificate;
}

/** Where a certificate is written to, as the server's settings say it. */
export function certificateFiles(folder: string) {
  mkdirSync(folder, { recursive: true });
  return { TLS_CERT: path.join(folder, 'cert.pem'), TLS_KEY: path.join(folder, 'key.pem') };
}

/** Replaces both files as careful programs do: each is written beside, then renamed. */
export function installCertificate(folder: string, { cert, key }: TestCertificate): void {
  const files = certificateFiles(folder);
  for (const [file, text] of [
    [files.TLS_CERT, cert],
    [files.TLS_KEY, key],
  ] as const) {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

/** A GET over TLS, on a connection of its own. */
export async function getSecurely(url: string, ca: string) {
  const [response] = (await once(get(url, { ca, agent: false }), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

/** Makes an authority of the test's own, whose certificate signs others. */
export async function makeAuthority(name: string): Promise<TestCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...CURVE,
    notAfterDate: new Date(Date.now() + 90 * DAY),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true },
    ],
  });
  return { cert, key };
}

/** Makes a certificate that an authority has signed. @param days from now; a negative number makes an expired one */
export async function issue(authority: TestCertificate, name: string, days = 90): Promise<TestCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...CURVE,
    notBeforeDate: new Date(Date.now() - 100 * DAY),
    notAfterDate: new Date(Date.now() + days * DAY),
    ca: authority,
  });
  return { cert, key };
}
