/**
 * The form of ICE and DTLS parameters in a description.
 *
 * They are handed to native code, so nothing passes that the grammars don't allow: RFC 8839 section 5.4 (ice-ufrag,
 * ice-pwd), RFC 8122 section 5 (fingerprint), RFC 8842 section 5.3 and RFC 4145 section 4 (setup).
 */
import type { TransportParameters } from '../../workers/protocol.js';

/** Octets of each digest that the native layer can check. */
const DIGEST_OCTETS: ReadonlyMap<string, number> = new Map([
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
]);

const ICE_UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const ICE_PWD = /^[A-Za-z0-9+/]{22,256}$/;
const HEX_PAIRS = /^[0-9A-F]{2}(?::[0-9A-F]{2})*$/;

/** Janus' text for a description without ICE or DTLS parameters, and the beginning of each more precise one of ours. */
export const PROCESSING_ERROR = 'Error processing SDP';

/** The attributes as they stand in a description: a line's own, else the session's. */
export interface TransportAttributes {
  iceUfrag: string | undefined;
  icePwd: string | undefined;
  fingerprint: { algorithm: string; value: string } | undefined;
  setup: string | undefined;
}

/**
 * Checks a transport's attributes.
 *
 * @returns the parameters, or a reason for people. `setup` is `actpass` when the description doesn't say: an offer
 *   then leaves the role to us, an answer is taken as `active` (readSubscriberAnswer).
 */
export function readTransport(attributes: TransportAttributes): TransportParameters | string {
  const { iceUfrag, icePwd, fingerprint, setup = 'actpass' } = attributes;
  if (iceUfrag === undefined || icePwd === undefined || fingerprint === undefined) return PROCESSING_ERROR;
  if (!ICE_UFRAG.test(iceUfrag)) return `${PROCESSING_ERROR} (a=ice-ufrag must be 4 to 256 letters, digits, + or /)`;
  if (!ICE_PWD.test(icePwd)) return `${PROCESSING_ERROR} (a=ice-pwd must be 22 to 256 letters, digits, + or /)`;
  const algorithm = fingerprint.algorithm.toLowerCase();
  const value = fingerprint.value.toUpperCase();
  const octets = DIGEST_OCTETS.get(algorithm);
  if (octets === undefined) {
    return `${PROCESSING_ERROR} (a=fingerprint must use one of ${[...DIGEST_OCTETS.keys()].join(', ')})`;
  }
  if (value.length !== octets * 3 - 1 || !HEX_PAIRS.test(value)) {
    return `${PROCESSING_ERROR} (a=fingerprint of ${algorithm} must be ${octets} hex pairs with colons between them)`;
  }
  if (setup !== 'active' && setup !== 'passive' && setup !== 'actpass') {
    return `${PROCESSING_ERROR} (a=setup must be active, passive or actpass)`;
  }
  return { iceUfrag, icePwd, fingerprint: { algorithm, value }, setup };
}
