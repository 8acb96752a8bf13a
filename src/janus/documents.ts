import { JANUS_ERROR, type JanusError } from './errors.js';
import { parseJson } from './json.js';

export type Documents = { ok: true; documents: unknown[] } | { ok: false; error: JanusError };

/** Documents that one message of a transport may hold. */
const DOCUMENTS_MAX = 100;

const OBJECT_OR_ARRAY = /^[\s]*[{[]/;

/**
 * Reads the JSON documents of one message: usually one, but up to 100 may follow each other. If one of them is broken, or
 * there are more, none counts. Only objects and arrays are documents. Linear in the text's length; never throws.
 */
export function readDocuments(text: string): Documents {
  const whole = parseJson(text);
  if (whole.ok && OBJECT_OR_ARRAY.test(text)) return { ok: true, documents: [whole.value] };
  const documents: unknown[] = [];
  let start = skipSpace(text, 0);
  if (start === text.length) return broken(text, start, "'[' or '{' expected near end of file");
  while (start < text.length) {
    const first = text[start];
    if (first !== '{' && first !== '[') return broken(text, start, "'[' or '{' expected");
    const end = endOfDocument(text, start);
    if (end === -1) return broken(text, text.length, 'unexpected end of input');
    const part = parseJson(text.slice(start, end));
    if (!part.ok) return broken(text, start + part.position, 'invalid token');
    documents.push(part.value);
    start = skipSpace(text, end);
  }
  if (documents.length > DOCUMENTS_MAX) {
    const reason = `Invalid Janus API request - more than ${DOCUMENTS_MAX} requests in one message`;
    return { ok: false, error: { code: JANUS_ERROR.INVALID_JSON, reason } };
  }
  return { ok: true, documents };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at += 1;
  return at;
}

/** The position after the bracket that closes the one at `start`; -1 if there is none. Brackets in strings don't count. */
function endOfDocument(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function broken(text: string, position: number, detail: string): Documents {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - (before.lastIndexOf('\n') + 1);
  const reason = `Invalid Janus API request - <string>(${line},${column}): ${detail}`;
  return { ok: false, error: { code: JANUS_ERROR.INVALID_JSON, reason } };
}
