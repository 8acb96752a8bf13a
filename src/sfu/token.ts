import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';

/** What a token lets its bearer do. `rooms: null` = every room. */
export interface Grant {
  joinHub: boolean;
  kickUsers: boolean;
  rooms: readonly string[] | null;
  /** The user id that the token is for, if it names one (`user_id`, else `sub`). */
  user: string | null;
}

/** A grant as a token has it. */
export interface TokenGrant extends Grant {
  /** Unix time in seconds from which on the token is invalid. */
  expires: number;
}

const MODULUS_BITS_MIN = 2048;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Reads the public RSA key that tokens are checked with.
 *
 * @param bytes PKCS#1 DER (as the reference server takes it), SPKI DER, or either as PEM
 * @throws Error that says what is wrong with the key and what to do
 */
export function readPublicKey(bytes: Buffer): KeyObject {
  let key: KeyObject | null = null;
  if (isPrivate(bytes)) throw new Error('it is a private key: give the server the public half only');
  if (bytes.subarray(0, 64).includes('-----BEGIN')) {
    key = attempt(() => createPublicKey({ key: bytes, format: 'pem' }));
  } else {
    key =
      attempt(() => createPublicKey({ key: bytes, format: 'der', type: 'pkcs1' })) ??
      attempt(() => createPublicKey({ key: bytes, format: 'der', type: 'spki' }));
  }
  if (!key) throw new Error('it is neither a public RSA key in DER (PKCS#1 or SPKI) nor in PEM');
  checkStrength(key);
  return key;
}

/** Node would take a private key too, and derive the public one: but it has no business on this machine. */
function isPrivate(bytes: Buffer): boolean {
  if (bytes.includes('PRIVATE KEY')) return true;
  return (['pkcs8', 'pkcs1'] as const).some((type) =>
    attempt(() => createPrivateKey({ key: bytes, format: 'der', type })),
  );
}

/**
 * Reads the private RSA key that tokens are signed with. A server needs none; `janus-sfu token` does.
 *
 * @param bytes PKCS#8 or PKCS#1, PEM or DER, without a passphrase
 * @throws Error that says what is wrong with the key and what to do
 */
export function readPrivateKey(bytes: Buffer): KeyObject {
  const key =
    attempt(() => createPrivateKey({ key: bytes, format: 'pem' })) ??
    attempt(() => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })) ??
    attempt(() => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs1' }));
  if (!key) throw new Error('it is no private RSA key in PEM or DER (or it has a passphrase, which must be taken off)');
  checkStrength(key);
  return key;
}

function checkStrength(key: KeyObject): void {
  if (key.asymmetricKeyType !== 'rsa') {
    throw new Error(`it is a key for ${key.asymmetricKeyType ?? 'something else'}; an RSA key is needed (RS512)`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MODULUS_BITS_MIN) throw new Error(`it has ${bits} bits; at least ${MODULUS_BITS_MIN} are needed`);
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** True if the part is base64url as RFC 7515 writes it: no padding, no stray bits. */
function isCanonical(part: string): boolean {
  return BASE64URL.test(part) && Buffer.from(part, 'base64url').toString('base64url') === part;
}

/**
 * The claims of a token that this key signed, or null: RS512 whatever the header says (RFC 8725 3.1), `exp` there, an
 * integer and in the future without leeway. `nbf`, `iat`, `aud` and `iss` are not looked at, as the reference does;
 * a `crit` header is refused (RFC 7515 4.1.11).
 *
 * @param nowSeconds wall clock, Unix time
 */
export function readToken(token: string, key: KeyObject, nowSeconds: number): TokenGrant | null {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical)) return null;
  let header: jwt.JwtHeader;
  let payload: string | jwt.JwtPayload;
  try {
    ({ header, payload } = jwt.verify(token, key, {
      algorithms: ['RS512'],
      clockTimestamp: nowSeconds,
      ignoreNotBefore: true,
      complete: true,
    }));
  } catch {
    return null;
  }
  if (header.alg !== 'RS512' || header.crit !== undefined) return null;
  if (typeof payload !== 'object' || payload === null) return null;
  return readClaims(payload);
}

/**
 * Writes a token that `readToken` reads as this grant.
 *
 * @param now Unix time, seconds
 * @param expires Unix time, seconds
 */
export function signToken(grant: Grant, key: KeyObject, now: number, expires: number): string {
  const claims = {
    join_hub: grant.joinHub,
    kick_users: grant.kickUsers,
    ...(grant.rooms === null ? {} : { room_ids: grant.rooms }),
    ...(grant.user === null ? {} : { user_id: grant.user }),
    iat: now,
    exp: expires,
  };
  return jwt.sign(claims, key, { algorithm: 'RS512' });
}

function readClaims(claims: Record<string, unknown>): TokenGrant | null {
  const { exp, join_hub: joinHub = false, kick_users: kickUsers = false, room_ids: rooms = null } = claims;
  if (typeof exp !== 'number' || !Number.isSafeInteger(exp)) return null;
  if (typeof joinHub !== 'boolean' || typeof kickUsers !== 'boolean') return null;
  if (rooms !== null && !(Array.isArray(rooms) && rooms.every((room) => typeof room === 'string'))) return null;
  const user = claims.user_id ?? claims.sub ?? null;
  if (user !== null && typeof user !== 'string') return null;
  return { joinHub, kickUsers, rooms: rooms as string[] | null, user, expires: exp };
}
