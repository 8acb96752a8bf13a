import { createHmac } from 'node:crypto';

const BASE64_PREFIX = 'whsec_';

/** The key that a secret stands for: `whsec_` and base64, as Standard Webhooks has it, or else the text itself. */
export function readSecret(secret: string): Buffer {
  return secret.startsWith(BASE64_PREFIX)
    ? Buffer.from(secret.slice(BASE64_PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

/**
 * The headers by which a receiver knows who sent a body, and when (Standard Webhooks): HMAC-SHA256 over
 * `id.timestamp.body`.
 *
 * @param now seconds since 1970, of this very attempt
 */
export function signedHeaders(key: Buffer, id: string, now: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(now));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
