/** The DTLS certificate that a shard shows to the clients it offers to (RFC 8827 6.5): known before there is a peer. */
import { X509Certificate } from 'node:crypto';
import type { TransportParameters } from './protocol.js';

export interface Certificate {
  certificatePem: string;
  keyPem: string;
  fingerprint: TransportParameters['fingerprint'];
}

/** Days: longer than any process runs, since clients refuse an expired one. */
const VALIDITY_DAYS = 3650;

/** Makes a new self-signed one: ECDSA on P-256, which every browser takes. */
export async function createCertificate(): Promise<Certificate> {
  // Late: it takes longer to load than all else that a shard needs, and nobody waits for it before the first subscriber.
  const { generate } = await import('selfsigned');
  const now = Date.now();
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'janus-sfu' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A client whose clock is behind takes it too.
    notBeforeDate: new Date(now - 86_400_000),
    notAfterDate: new Date(now + VALIDITY_DAYS * 86_400_000),
  });
  const { fingerprint256 } = new X509Certificate(cert);
  return { certificatePem: cert, keyPem: key, fingerprint: { algorithm: 'sha-256', value: fingerprint256 } };
}
