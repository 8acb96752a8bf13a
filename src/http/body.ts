import type { IncomingMessage } from 'node:http';

/** A request's body, or why there is none. */
export type Body = { ok: true; bytes: Buffer } | { ok: false; cause: 'too large' | 'cut off' };

/** Up to so many times the limit are read and thrown away: a client that still writes doesn't read its answer. */
const THROWN_AWAY = 8;

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Reads a request's whole body. How long that may take is the listener's matter (its request timeout).
 *
 * @param bytesMax a longer body is not kept
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > THROWN_AWAY * bytesMax) return { ok: false, cause: 'too large' };
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    const tooLarge = () => resolve({ ok: false, cause: 'too large' });
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax) chunks.push(chunk);
      else chunks = [];
      if (length > THROWN_AWAY * bytesMax) tooLarge();
    });
    request.on('end', () => {
      if (length > bytesMax) tooLarge();
      else resolve({ ok: true, bytes: Buffer.concat(chunks) });
    });
    request.on('error', () => resolve({ ok: false, cause: 'cut off' }));
    request.on('close', () => resolve({ ok: false, cause: 'cut off' }));
  });
}
