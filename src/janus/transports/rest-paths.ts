import { type Fields, field } from '../envelope.js';
import { JANUS_ERROR, type JanusError } from '../errors.js';

/** What a URL below the API's base path names (janus-api.md 6). */
export type RestPath =
  /** `none`: outside the base path, or too deep. */
  | { kind: 'base' }
  | { kind: 'info' }
  | { kind: 'ping' }
  | { kind: 'none' }
  /** Ids are 0 where the URL has none, or something that is no number. */
  | { kind: 'session'; sessionId: number }
  | { kind: 'handle'; sessionId: number; handleId: number };

/** A long poll's query. */
export interface PollQuery {
  /** Most events of an answer that is an array; null = one event, not in an array. */
  eventsMax: number | null;
  /** `apisecret` and `token`, as far as they are there. */
  auth: Fields;
}

/** The URL of a request, split at its `?`. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const [, path = '', query = ''] = /^([^?#]*)\??([^#]*)/s.exec(url) ?? [];
  return { path, query: new URLSearchParams(query) };
}

/** @param base the API's path, `/janus`; one slash more at the end of a path is the same path */
export function readPath(base: string, path: string): RestPath {
  const rest = path.startsWith(base) ? path.slice(base.length).replace(/\/$/, '') : null;
  if (rest === '') return { kind: 'base' };
  if (!rest?.startsWith('/')) return { kind: 'none' };
  const [first = '', second, ...deeper] = rest.slice(1).split('/');
  if (deeper.length > 0) return { kind: 'none' };
  if (first === 'info' || first === 'ping') return { kind: first };
  if (second !== undefined) return { kind: 'handle', sessionId: readId(first), handleId: readId(second) };
  return { kind: 'session', sessionId: readId(first) };
}

/** An id in a URL; what is no number counts as 0, that is as none. */
function readId(segment: string): number {
  const id = /^\d+$/.test(segment) ? Number(segment) : 0;
  return Number.isFinite(id) ? id : 0;
}

export function readPollQuery(query: URLSearchParams): PollQuery {
  const text = query.get('maxev') ?? '';
  const eventsMax = /^\d{1,9}$/.test(text) ? Number(text) : 1;
  const auth: Record<string, string> = {};
  for (const name of ['apisecret', 'token']) {
    const value = query.get(name);
    if (value !== null) auth[name] = value;
  }
  return { eventsMax: eventsMax >= 2 ? eventsMax : null, auth };
}

/** Puts the ids of the URL into a request, if they are any; its own may be absent or 0, or the same. */
export function addIds(
  path: RestPath,
  request: Fields,
): { ok: true; request: Fields } | { ok: false; error: JanusError } {
  const ids: Record<string, number> = {};
  if ('sessionId' in path) {
    if (conflicts(field(request, 'session_id'), path.sessionId)) return conflict('session');
    if (path.sessionId !== 0) ids.session_id = path.sessionId;
  }
  if ('handleId' in path) {
    if (conflicts(field(request, 'handle_id'), path.handleId)) return conflict('handle');
    if (path.handleId !== 0) ids.handle_id = path.handleId;
  }
  return { ok: true, request: { ...request, ...ids } };
}

function conflicts(own: unknown, id: number): boolean {
  return typeof own === 'number' && Number.isInteger(own) && own !== 0 && own !== id;
}

function conflict(what: 'session' | 'handle'): { ok: false; error: JanusError } {
  const reason = `Conflicting ${what} ID (payload and path)`;
  return { ok: false, error: { code: JANUS_ERROR.INVALID_REQUEST_PATH, reason } };
}
