/**
 * What the Janus API answers, written from the specification alone (janus-api.md 1.2, 3.3 and 7): a model to hold the
 * server against. It imports nothing of the server.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Fields = { [key: string]: Json };

export interface Prediction {
  janus: 'success' | 'ack' | 'pong' | 'server_info' | 'error';
  code?: number;
  /** Absent where the reply has none. */
  session_id?: number;
  transaction?: string;
}

/** Which requests are let in. */
export interface Access {
  apiSecret?: string;
  /** What each valid token may use. */
  tokens?: Record<string, string[]>;
}

interface ModelSession {
  owner: string;
  /** By id: whether the handle has a PeerConnection, so that its candidates are looked at. */
  handles: Map<number, boolean>;
}

const PLUGIN = 'janus.plugin.sfu';
const VERBS = ['keepalive', 'claim', 'attach', 'destroy', 'message', 'trickle', 'hangup', 'detach'];
/** A text that is an SDP to the model; every other text is none. */
export const isDescription = (sdp: string): boolean => sdp.startsWith('v=0\r\n');

/** Beyond 64 bits only real numbers can be written: `1e30`. */
const isInteger = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63;
/** An integer from 0; those that JSON in JavaScript does not carry exactly are none. */
const isIndex = (value: Json | undefined): boolean => isInteger(value) && value >= 0 && Number.isSafeInteger(value);
const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Null of `jsep`, `loop_index`, `sdpMid` counts as absent (janus-api.md 15). */
const given = (value: Json | undefined): value is Exclude<Json, null> => value !== undefined && value !== null;
const own = (fields: Fields, name: string): Json | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

export class JanusModel {
  readonly sessions = new Map<number, ModelSession>();
  readonly #access: Access;
  accepting = true;

  constructor(access: Access = {}) {
    this.#access = access;
  }

  /** The reply to a document that a connection sends. */
  predict(connection: string, document: Json): Prediction {
    const fields = isFields(document) ? document : {};
    const session = own(fields, 'session_id');
    const sessionId = isInteger(session) ? session : 0;
    const claimed = sessionId === 0 ? {} : { session_id: sessionId };
    const [transaction, janus, id] = [own(fields, 'transaction'), own(fields, 'janus'), own(fields, 'id')];
    const bare = (code: number): Prediction => ({ janus: 'error', code, ...claimed });
    if (transaction === undefined) return bare(456);
    if (typeof transaction !== 'string') return bare(467);
    if (janus === undefined) return bare(456);
    if (typeof janus !== 'string') return bare(467);
    if (id !== undefined && !isIndex(id)) return bare(467);

    const fail = (code: number): Prediction => ({ janus: 'error', code, ...claimed, transaction });
    const verb = janus.toLowerCase();
    const handle = own(fields, 'handle_id');
    const handleId = isInteger(handle) ? handle : 0;
    if (sessionId === 0 && handleId === 0) {
      if (verb === 'ping') return { janus: 'pong', transaction };
      if (verb === 'info') return { janus: 'server_info', transaction };
      if (verb !== 'create') return fail(457);
      if (!this.accepting) return fail(472);
      if (!this.#allows(fields)) return fail(403);
      if (isInteger(id) && this.sessions.has(id)) return { ...fail(468), session_id: id };
      return { janus: 'success', transaction };
    }
    if (sessionId === 0) return fail(458);
    if (given(handle) && handleId === 0) return fail(459);
    if (!this.#allows(fields)) return fail(403);
    const found = this.sessions.get(sessionId);
    // A session belongs to its connection, until it is claimed (janus-api.md 1.4, threats.md W13).
    if (!found || (found.owner !== connection && verb !== 'claim')) return fail(458);
    if (handleId !== 0 && !found.handles.has(handleId)) return fail(459);
    const code = this.#verbError(verb, fields, handleId === 0 ? null : found.handles.get(handleId) === true);
    if (code !== null) return fail(code);
    const acknowledged = verb === 'keepalive' || verb === 'trickle' || verb === 'message';
    return { janus: acknowledged ? 'ack' : 'success', session_id: sessionId, transaction };
  }

  /** What a request changes that was served. `id` is the reply's. */
  apply(connection: string, document: Json, id: number | undefined): void {
    if (!isFields(document)) return;
    const { janus, session_id: sessionId, handle_id: handleId, jsep } = document;
    const session = isInteger(sessionId) ? this.sessions.get(sessionId) : undefined;
    const handle = isInteger(handleId) ? handleId : 0;
    switch (String(janus).toLowerCase()) {
      case 'create':
        if (id !== undefined) this.sessions.set(id, { owner: connection, handles: new Map() });
        break;
      case 'attach':
        if (id !== undefined) session?.handles.set(id, false);
        break;
      case 'claim':
        if (session) session.owner = connection;
        break;
      case 'destroy':
        if (isInteger(sessionId)) this.sessions.delete(sessionId);
        break;
      case 'detach':
        session?.handles.delete(handle);
        break;
      case 'hangup':
        session?.handles.set(handle, false);
        break;
      case 'message':
        if (given(jsep)) session?.handles.set(handle, true);
    }
  }

  /** Sessions with owner and handles, in a form to compare. */
  get state(): string[] {
    const line = ([id, { owner, handles }]: [number, ModelSession]) =>
      `${id} of ${owner}: ${[...handles.keys()].sort((a, b) => a - b)}`;
    return [...this.sessions].map(line).sort();
  }

  #allows(fields: Fields): boolean {
    const { apiSecret, tokens } = this.#access;
    if (apiSecret === undefined && !tokens) return true;
    if (apiSecret !== undefined && own(fields, 'apisecret') === apiSecret) return true;
    const token = own(fields, 'token');
    return typeof token === 'string' && tokens !== undefined && Object.hasOwn(tokens, token);
  }

  /** @param negotiating whether the handle has a PeerConnection; null = the request names no handle */
  #verbError(verb: string, fields: Fields, negotiating: boolean | null): number | null {
    if (!VERBS.includes(verb)) return 453;
    if (verb === 'keepalive' || verb === 'claim') return null;
    if ((verb === 'attach' || verb === 'destroy') !== (negotiating === null)) return 457;
    if (verb === 'attach') return this.#attachError(fields);
    if (verb === 'message') return messageError(fields);
    return verb === 'trickle' ? trickleError(fields, negotiating === true) : null;
  }

  #attachError(fields: Fields): number | null {
    const [plugin, opaqueId, loop] = ['plugin', 'opaque_id', 'loop_index'].map((name) => own(fields, name));
    if (plugin === undefined) return 456;
    if (typeof plugin !== 'string') return 467;
    if (opaqueId !== undefined && typeof opaqueId !== 'string') return 467;
    if (given(loop) && !isIndex(loop)) return 467;
    if (plugin !== PLUGIN) return 460;
    const token = own(fields, 'token');
    const { tokens } = this.#access;
    if (tokens && typeof token === 'string') {
      const allowed = Object.hasOwn(tokens, token) && tokens[token]?.includes(plugin);
      if (!allowed) return 405;
    }
    return null;
  }
}

function messageError(fields: Fields): number | null {
  const [body, jsep] = [own(fields, 'body'), own(fields, 'jsep')];
  if (body === undefined) return 456;
  if (!isFields(body)) return 467;
  if (!given(jsep)) return null;
  if (!isFields(jsep)) return 455;
  const [type, sdp] = [own(jsep, 'type'), own(jsep, 'sdp')];
  if (type === undefined) return 456;
  if (typeof type !== 'string') return 467;
  if (sdp === undefined) return 456;
  if (typeof sdp !== 'string') return 467;
  for (const [name, kind] of Object.entries({
    trickle: 'boolean',
    rid_order: 'string',
    force_relay: 'boolean',
    e2ee: 'boolean',
  })) {
    const value = own(jsep, name);
    if (value !== undefined && typeof value !== kind) return 467;
  }
  if (!['offer', 'answer'].includes(type.toLowerCase())) return 464;
  if (!isDescription(sdp)) return 465;
  return type.toLowerCase() === 'answer' ? 469 : null;
}

function trickleError(fields: Fields, negotiating: boolean): number | null {
  const [candidate, candidates] = [own(fields, 'candidate'), own(fields, 'candidates')];
  if (candidate === undefined && candidates === undefined) return 456;
  if (candidate !== undefined && candidates !== undefined) return 454;
  if (!negotiating) return null;
  if (candidates !== undefined) return Array.isArray(candidates) ? null : 467;
  if (candidate === null) return null;
  // Rubbish is no end of candidates (janus-api.md 15).
  if (!isFields(candidate)) return 467;
  if (own(candidate, 'completed') !== undefined) return null;
  const [mid, index, text] = ['sdpMid', 'sdpMLineIndex', 'candidate'].map((name) => own(candidate, name));
  if (given(mid) && typeof mid !== 'string') return 467;
  if (given(index) && !isIndex(index)) return 467;
  if (!given(mid) && !given(index)) return 456;
  if (text === undefined) return 456;
  return typeof text === 'string' ? null : 467;
}
