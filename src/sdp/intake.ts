/**
 * The first look at a client's SDP: how large it is, and which of its lines are read at all. What is left is short and
 * plain enough for any grammar.
 */
import { PROCESSING_ERROR } from './transport.js';

/** Most of each that a description may have. */
export interface SdpLimits {
  /** Of UTF-8. */
  readonly bytes: number;
  readonly lines: number;
  /** m= lines. */
  readonly media: number;
  readonly candidates: number;
}

/** Browsers stay far below all of these: a full Chrome offer has about 10 KiB, 250 lines and 3 m-lines. */
export const SDP_LIMITS: SdpLimits = { bytes: 64 * 1024, lines: 2000, media: 32, candidates: 64 };

/** Why a description is not read: a limit, or something else that is wrong with it. */
export interface Unusable {
  bound: keyof SdpLimits | null;
  reason: string;
}

function tooLarge(bound: keyof SdpLimits, most: number, unit: string): Unusable {
  return { bound, reason: `SDP too large (more than ${most} ${unit})` };
}

const invalid = (reason: string): Unusable => ({ bound: null, reason });

/** The attributes that the grammar gets to see. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'sendrecv',
  'sendonly',
  'recvonly',
  'inactive',
  'group',
  'mid',
  'bundle-only',
  'extmap-allow-mixed',
  'ice-ufrag',
  'ice-pwd',
  'fingerprint',
  'setup',
  'rtpmap',
  'fmtp',
  'rtcp-fb',
  'extmap',
  'ssrc',
  'ssrc-group',
  'sctp-port',
  'sctpmap',
  'max-message-size',
]);

/** How many words the values have that must not be cut where the grammar stops reading. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ['mid', 1],
  ['ice-ufrag', 1],
  ['ice-pwd', 1],
  ['setup', 1],
  ['fingerprint', 2],
]);

const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * The lines that we read of a description, without line ends; or what is wrong with the whole, as Janus would say it
 * where Janus checks the same.
 */
export function usableLines(sdp: string, limits: SdpLimits): string[] | Unusable {
  const { bytes } = limits;
  if (sdp.length > bytes || Buffer.byteLength(sdp) > bytes) return tooLarge('bytes', bytes, 'bytes');
  if (!sdp.startsWith('v=')) return invalid("Invalid SDP (doesn't start with v=)");
  const all = sdp.split('\n', limits.lines + 2);
  if (all.at(-1) === '') all.pop();
  if (all.length > limits.lines) return tooLarge('lines', limits.lines, 'lines');
  const kept: string[] = [];
  const seen = new Set<string>();
  let media = 0;
  let candidates = 0;
  for (const raw of all) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.includes('\r') || line.includes('\0')) {
      return invalid('Invalid SDP (lines end in \\r\\n or \\n, and have no other control characters)');
    }
    if (line[1] !== '=') continue;
    const type = line[0] ?? '';
    if (type === 'o' || type === 's') seen.add(type);
    if (type === 'm') media++;
    else if (type !== 'a') continue;
    if (type === 'a') {
      const { name, value } = attributeOf(line);
      if (name === 'candidate') candidates++;
      if (!ATTRIBUTES.has(name)) continue;
      const words = WORDS.get(name);
      if (words && value.split(' ', words + 1).length > words) {
        return invalid(`${PROCESSING_ERROR} (a=${name} has more than ${words} ${words > 1 ? 'words' : 'word'})`);
      }
    }
    if (!PRINTABLE.test(line)) return invalid(`Invalid SDP (${type}= lines have printable ASCII characters only)`);
    kept.push(line);
  }
  if (media > limits.media) return tooLarge('media', limits.media, 'm= lines');
  if (candidates > limits.candidates) return tooLarge('candidates', limits.candidates, 'candidates');
  if (!seen.has('o') || !seen.has('s') || media === 0) return invalid('Missing mandatory lines (o=, s= or m=)');
  return kept;
}

/** `a=name:value`, or `a=name`. */
function attributeOf(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  if (colon < 0) return { name: line.slice(2).trimEnd(), value: '' };
  return { name: line.slice(2, colon), value: line.slice(colon + 1).trimEnd() };
}
