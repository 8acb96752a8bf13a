import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpHandler } from './listener.js';

/** What is served: see `Exposition`. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Headers by which proxies say that a request is not their own (RFC 7239 and its forerunners, RFC 9110 7.6.3). */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Serves the metrics. With a token to whoever has it (RFC 6750 2.1), without one to this machine alone, and not through
 * a proxy that says to be one.
 *
 * @param token undefined = there is none
 * @param failed told why the text could not be made
 */
export function metricsHandler(
  metrics: MetricsText,
  token: string | undefined,
  failed: (error: unknown) => void,
): HttpHandler {
  return (request, response) => {
    const refusal = refuse(request, token);
    if (refusal) {
      answer(request, response, refusal.status, refusal.text, refusal.headers);
      return;
    }
    metrics.text().then(
      (text) => answer(request, response, 200, text, { 'Content-Type': metrics.contentType }),
      (error) => {
        failed(error);
        answer(request, response, 500, 'The metrics can not be read; the log says why.\n');
      },
    );
  };
}

interface Refused {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

function refuse(request: IncomingMessage, token: string | undefined): Refused | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, text: 'Only GET and HEAD are served here.\n', headers: { Allow: 'GET, HEAD' } };
  }
  if (token === undefined) {
    if (isLocal(request)) return null;
    const text = 'Metrics are for this machine only. Set METRICS_TOKEN, and send it as a bearer token.\n';
    return { status: 403, text };
  }
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given !== undefined && sameText(given, token)) return null;
  const headers = { 'WWW-Authenticate': 'Bearer realm="metrics"' };
  return { status: 401, text: 'METRICS_TOKEN is needed as a bearer token.\n', headers };
}

function isLocal(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  const loopback = address === '::1' || /^(::ffff:)?127\./i.test(address);
  return loopback && !FORWARDED.some((name) => request.headers[name] !== undefined);
}

/** Takes as long wherever the texts differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
