import type { IncomingHttpHeaders } from 'node:http';

/** Which pages may use the API from a browser (Fetch standard, 3.2: CORS protocol). */
export interface CorsSettings {
  /** The origin that is allowed, with credentials; absent = every one, without. */
  allowOrigin: string | undefined;
  /** Whether requests of other pages are refused, and not only kept from the page. */
  enforce: boolean;
}

/** Seconds for which a browser may remember the answer to a preflight. */
const MAX_AGE = '86400';
/** Field names and methods, as a preflight lists them (RFC 9110 5.6.2); nothing else is echoed. */
const TOKENS = /^[\w!#$%&'*+.^`|~, -]{1,1024}$/;

/** What `Access-Control-Allow-Origin` says. */
export function allowedOrigin({ allowOrigin }: CorsSettings): string {
  return allowOrigin ?? '*';
}

/** The headers of every answer; what a preflight asks for is allowed. */
export function corsHeaders(settings: CorsSettings, request: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {
    'Access-Control-Allow-Origin': allowedOrigin(settings),
    'Access-Control-Max-Age': MAX_AGE,
  };
  if (settings.allowOrigin !== undefined) {
    headers['Access-Control-Allow-Credentials'] = 'true';
    headers.Vary = 'Origin';
  }
  const method = request['access-control-request-method'] ?? '';
  const names = request['access-control-request-headers'] ?? '';
  if (TOKENS.test(method)) headers['Access-Control-Allow-Methods'] = method;
  if (TOKENS.test(names)) headers['Access-Control-Allow-Headers'] = names;
  return headers;
}

/**
 * Whether a request is served. A page that names no `Origin` is known by its `Referer`; who names neither is refused.
 * A prefix would do for the reference server; here `https://a.example` does not allow `https://a.example.net`.
 */
export function originAllowed({ allowOrigin, enforce }: CorsSettings, request: IncomingHttpHeaders): boolean {
  if (!enforce || allowOrigin === undefined || allowOrigin === '*') return true;
  const from = request.origin ?? request.referer ?? '';
  if (!from.startsWith(allowOrigin)) return false;
  const next = from[allowOrigin.length];
  return next === undefined || next === '/' || allowOrigin.endsWith('/');
}
