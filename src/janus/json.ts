/**
 * JSON as the Janus API takes it: RFC 8259, but for what the reference server's parser refuses too: NUL characters and
 * half surrogate pairs in texts (RFC 8259 8.2 calls them unpredictable), numbers beyond 64 bits, nesting without end.
 */

/** A parsed text; else about where in it the fault is, in UTF-16 units. */
export type ReadJson = { ok: true; value: unknown } | { ok: false; position: number };

/** Brackets inside each other. */
const DEPTH_MAX = 2048;
const INTEGER_MAX = '9223372036854775807';
const INTEGER_MIN = '9223372036854775808';

/** An escape, in one piece: after it the next backslash begins another one. */
const ESCAPES = /\\(?:u([0-9a-f]{4})|[^u])/gi;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[[\]{}]/gs;
/** Without one of these no number is too large. */
const LONG_NUMBER = /\d{19}|[eE]\+?\d{3}/;

/** Never throws; time is linear in the text. */
export function parseJson(text: string): ReadJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return { ok: false, position: Number(position ?? 0) };
  }
  const position = faultIn(text);
  return position === -1 ? { ok: true, value } : { ok: false, position };
}

/** Where in a text that is JSON the first thing is that the API does not take; -1 = nowhere. */
function faultIn(text: string): number {
  const inTexts = text.includes('\\u') ? faultyEscape(text) : -1;
  if (inTexts !== -1) return inTexts;
  return LONG_NUMBER.test(text) || isBrackety(text) ? faultyToken(text) : -1;
}

function faultyEscape(text: string): number {
  /** Where the other half of a surrogate pair has to follow, and where the first one was. */
  let [due, first] = [-1, -1];
  for (const { 0: written, 1: hex, index } of text.matchAll(ESCAPES)) {
    const unit = hex === undefined ? -1 : Number.parseInt(hex, 16);
    const isSecond = unit >= 0xdc00 && unit <= 0xdfff;
    if (due !== -1 && !(isSecond && index === due)) return first;
    if (unit === 0 || (isSecond && due === -1)) return index;
    const isFirst = unit >= 0xd800 && unit <= 0xdbff;
    [due, first] = isFirst ? [index + written.length, index] : [-1, -1];
  }
  return first;
}

/** Whether there are enough opening brackets to be nested too deeply. */
function isBrackety(text: string): boolean {
  if (text.length <= 2 * DEPTH_MAX) return false;
  let count = 0;
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at !== -1 && count <= DEPTH_MAX; at = text.indexOf(bracket, at + 1))
      count += 1;
  }
  return count > DEPTH_MAX;
}

function faultyToken(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    const first = token[0];
    if (first === '"') continue;
    if (first === '[' || first === '{') depth += 1;
    else if (first === ']' || first === '}') depth -= 1;
    else if (isTooLarge(token)) return index;
    if (depth > DEPTH_MAX) return index;
  }
  return -1;
}

function isTooLarge(number: string): boolean {
  if (/[.eE]/.test(number)) return !Number.isFinite(Number(number));
  const [digits, most] = number.startsWith('-') ? [number.slice(1), INTEGER_MIN] : [number, INTEGER_MAX];
  return digits.length > most.length || (digits.length === most.length && digits > most);
}
