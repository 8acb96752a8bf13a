import { type Fields, field, isObject } from './envelope.js';
import { JANUS_ERROR, type JanusError, missing, wrongType } from './errors.js';

/**
 * The checks of single verbs, in the API's order (janus-api.md 3.3). Null counts as absent where clients send it, or where
 * the specification says so: `jsep`, `loop_index`, `sdpMid`; elsewhere it is of the wrong type.
 */

type Checked<T> = { ok: true; value: T } | { ok: false; error: JanusError };

const fail = (error: JanusError): { ok: false; error: JanusError } => ({ ok: false, error });

/** A field for which null counts as absent. */
function nullable(fields: Fields, name: string): unknown {
  return field(fields, name) ?? undefined;
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export interface AttachRequest {
  plugin: string;
  opaqueId: string | null;
  loopIndex: number | null;
}

export function checkAttach(fields: Fields): Checked<AttachRequest> {
  const plugin = field(fields, 'plugin');
  if (plugin === undefined) return fail(missing('plugin'));
  if (typeof plugin !== 'string') return fail(wrongType('plugin', 'a string'));
  const opaqueId = field(fields, 'opaque_id');
  if (opaqueId !== undefined && typeof opaqueId !== 'string') return fail(wrongType('opaque_id', 'a string'));
  const loopIndex = nullable(fields, 'loop_index');
  if (loopIndex !== undefined && !isIndex(loopIndex)) return fail(wrongType('loop_index', 'a positive integer'));
  return { ok: true, value: { plugin, opaqueId: opaqueId ?? null, loopIndex: loopIndex ?? null } };
}

export interface JsepRequest {
  type: 'offer' | 'answer';
  sdp: string;
  e2ee: boolean;
}

export function checkMessage(fields: Fields): Checked<{ body: Fields; jsep: JsepRequest | null }> {
  const body = field(fields, 'body');
  if (body === undefined) return fail(missing('body'));
  if (!isObject(body)) return fail(wrongType('body', 'an object'));
  const jsep = nullable(fields, 'jsep');
  if (jsep === undefined) return { ok: true, value: { body, jsep: null } };
  if (!isObject(jsep)) return fail({ code: JANUS_ERROR.INVALID_JSON_OBJECT, reason: 'Invalid jsep object' });
  const checked = checkJsep(jsep);
  return checked.ok ? { ok: true, value: { body, jsep: checked.value } } : checked;
}

function checkJsep(jsep: Fields): Checked<JsepRequest> {
  const absent = (name: string) =>
    fail({ code: JANUS_ERROR.MISSING_MANDATORY_ELEMENT, reason: `JSEP error: missing mandatory element (${name})` });
  const notA = (name: string, type: string) => {
    const reason = `JSEP error: invalid element type (${name} should be ${type})`;
    return fail({ code: JANUS_ERROR.INVALID_ELEMENT_TYPE, reason });
  };
  const type = field(jsep, 'type');
  if (type === undefined) return absent('type');
  if (typeof type !== 'string') return notA('type', 'a string');
  const sdp = field(jsep, 'sdp');
  if (sdp === undefined) return absent('sdp');
  if (typeof sdp !== 'string') return notA('sdp', 'a string');
  for (const [name, wanted] of [
    ['trickle', 'boolean'],
    ['rid_order', 'string'],
    ['force_relay', 'boolean'],
    ['e2ee', 'boolean'],
  ] as const) {
    const value = field(jsep, name);
    // The type names of JavaScript and of Janus are the same here.
    if (value !== undefined && typeof value !== wanted) return notA(name, `a ${wanted}`);
  }
  const known = type.toLowerCase();
  if (known !== 'offer' && known !== 'answer') {
    const reason = `JSEP error: unknown message type '${type}'`;
    return fail({ code: JANUS_ERROR.JSEP_UNKNOWN_TYPE, reason });
  }
  return { ok: true, value: { type: known, sdp, e2ee: field(jsep, 'e2ee') === true } };
}

/**
 * Checks a trickle. Its candidates are not needed: the server has a public address, and learns the client's from the
 * client's own connectivity checks (RFC 8445 7.3.1.3).
 *
 * @param negotiating whether offer and answer of a PeerConnection are known; before that any candidate is taken
 * @returns null, or what is wrong with it
 */
export function checkTrickle(fields: Fields, negotiating: boolean): JanusError | null {
  const candidate = field(fields, 'candidate');
  const candidates = field(fields, 'candidates');
  if (candidate === undefined && candidates === undefined) return missing('candidate|candidates');
  if (candidate !== undefined && candidates !== undefined) {
    return { code: JANUS_ERROR.INVALID_JSON, reason: "Can't have both candidate and candidates" };
  }
  if (!negotiating) return null;
  if (candidate === undefined) {
    const reason = 'candidates is not an array';
    return Array.isArray(candidates) ? null : { code: JANUS_ERROR.INVALID_ELEMENT_TYPE, reason };
  }
  return candidate === null ? null : checkCandidate(candidate);
}

/** Whether a checked trickle says that there are no more candidates. */
export function endsCandidates(fields: Fields): boolean {
  const candidates = field(fields, 'candidates');
  const last = Array.isArray(candidates) ? candidates.at(-1) : field(fields, 'candidate');
  return !isObject(last) || field(last, 'completed') !== undefined;
}

function checkCandidate(candidate: unknown): JanusError | null {
  const notA = (name: string, type: string): JanusError => ({
    code: JANUS_ERROR.INVALID_ELEMENT_TYPE,
    reason: `Trickle error: invalid element type (${name} should be ${type})`,
  });
  const absent = (name: string): JanusError => ({
    code: JANUS_ERROR.MISSING_MANDATORY_ELEMENT,
    reason: `Trickle error: missing mandatory element (${name})`,
  });
  if (!isObject(candidate)) return notA('candidate', 'an object');
  if (field(candidate, 'completed') !== undefined) return null;
  const mid = nullable(candidate, 'sdpMid');
  if (mid !== undefined && typeof mid !== 'string') return notA('sdpMid', 'a string');
  const index = nullable(candidate, 'sdpMLineIndex');
  if (index !== undefined && !isIndex(index)) return notA('sdpMLineIndex', 'a positive integer');
  if (mid === undefined && index === undefined) return absent('sdpMid or sdpMLineIndex');
  const text = field(candidate, 'candidate');
  if (text === undefined) return absent('candidate');
  return typeof text === 'string' ? null : notA('candidate', 'a string');
}
