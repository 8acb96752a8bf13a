import { type Fields, isObject } from '../envelope.js';
import { JANUS_ERROR, type JanusError } from '../errors.js';
import { parseJson } from '../json.js';

export type ReadRequest = { ok: true; request: Fields } | { ok: false; error: JanusError };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the body of a POST: one JSON object. Never throws. */
export function readRequest(bytes: Buffer): ReadRequest {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return broken('', 'the text is no UTF-8');
  }
  const read = parseJson(text);
  if (!read.ok) return broken(text.slice(0, read.position), 'invalid token');
  const document = read.value;
  if (isObject(document)) return { ok: true, request: document };
  if (!Array.isArray(document)) return broken('', "'[' or '{' expected");
  return { ok: false, error: { code: JANUS_ERROR.INVALID_JSON_OBJECT, reason: 'JSON error: not an object' } };
}

/** @param before what was read until the error */
function broken(before: string, detail: string): ReadRequest {
  const reason = `JSON error: on line ${before.split('\n').length}: ${detail}`;
  return { ok: false, error: { code: JANUS_ERROR.INVALID_JSON, reason } };
}
