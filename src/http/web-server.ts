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
