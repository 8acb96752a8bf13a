import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsCertificate } from './tls.js';

/** Milliseconds for a TLS handshake. */
const HANDSHAKE_TIMEOUT = 10_000;

/**
 * Makes the server of a port: HTTP, or with a certificate HTTPS alone. Its sockets are TLS sockets then, which it has
 * after `secureConnection`; a handshake that fails comes as `clientError`.
 */
export function createWebServer(options: ServerOptions, tls: TlsCertificate | null, respond: RequestListener): Server {
  if (!tls) return createServer(options, respond);
  const server = createTlsServer({ ...options, ...tls.context, handshakeTimeout: HANDSHAKE_TIMEOUT }, respond);
  // Connections that are open keep what they were made with.
  const unfollow = tls.onChange((context) => server.setSecureContext(context));
  server.on('close', unfollow);
  return server;
}

/**
 * Connections that may wait to be accepted; the system may allow less (net.core.somaxconn). Where thousands come back at once, Node's
 * own 511 would have the others wait for a second or three, as TCP does.
 */
const BACKLOG = 4096;

/**
 * Listens on a port, or on a socket that listens already.
 *
 * @param where `fd` wins; `host` undefined = all addresses
 * @returns resolves when it listens; rejects if that can't be had (`EADDRINUSE`, `EACCES`)
 */
export async function listenAt(
  server: Server,
  { host, port, fd = null }: { host: string | undefined; port: number; fd?: number | null },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const where = fd === null ? { port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) } : { fd };
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
