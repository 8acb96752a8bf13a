/** Join tokens that somebody made up, or made of good ones: only what was signed grants anything. */
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readToken } from '../../../src/sfu/token.js';
import type { Random } from '../../support/random.js';
import { defineTarget, jsonLines } from './target.js';

const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** Unix seconds. */
const NOW = 1_800_000_000;
/** Tokens of one input: a signature is checked in the time that a hundred packets take. */
const TOKENS = 20;

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(header: object, claims: unknown, key: KeyObject, digest = 'RSA-SHA512'): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createSign(digest).update(signed).sign(key, 'base64url')}`;
}

const RS512 = { alg: 'RS512', typ: 'JWT' };
const rights = { join_hub: true, kick_users: true, exp: NOW + 1000 };

/** By their text: what was really signed, and grants something. */
const GOOD = new Set(
  [{}, { room_ids: ['a', 'b'] }, { user_id: 'u' }, { sub: 'v', room_ids: [] }, { nbf: NOW - 5 }].map((more) =>
    sign(RS512, { ...rights, ...more }, own.privateKey),
  ),
);
/** Signed with our key, and yet worth nothing. */
const BAD_CLAIMS = [
  ...[{ exp: NOW - 1 }, { exp: NOW + 0.5 }, { exp: `${NOW + 1000}` }, { exp: -1 }, { exp: null }, { exp: [NOW + 9] }],
  ...[{ room_ids: 'a' }, { room_ids: [1] }, { room_ids: { 0: 'a' } }, { join_hub: 1 }, { kick_users: 'true' }],
  ...[{ user_id: 5 }, { user_id: ['u'] }, { sub: {} }],
].map((claims) => sign(RS512, { ...rights, ...claims }, own.privateKey));
const publicDer = own.publicKey.export({ format: 'der', type: 'pkcs1' });
const publicPem = own.publicKey.export({ format: 'pem', type: 'spki' });
const hmac = (alg: string, digest: string, secret: string | Buffer) => {
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(rights)}`;
  return `${signed}.${createHmac(digest, secret).update(signed).digest('base64url')}`;
};
const FORGED = [
  ...['none', 'None', 'rs512', 'RS512 ', ''].map((alg) => `${encode({ alg })}.${encode(rights)}.`),
  ...[publicDer, publicPem].flatMap((secret) => [hmac('HS512', 'sha512', secret), hmac('HS256', 'sha256', secret)]),
  sign(RS512, rights, other.privateKey),
  sign({ ...RS512, jwk: other.publicKey.export({ format: 'jwk' }) }, rights, other.privateKey),
  sign({ ...RS512, alg: 'RS256' }, rights, own.privateKey, 'RSA-SHA256'),
  sign({ ...RS512, alg: 'RS384' }, rights, own.privateKey, 'RSA-SHA384'),
];
const SEEDS = [...GOOD, ...BAD_CLAIMS, ...FORGED];
const ODD = ['', '.', '..', '...', '=', '+', ' ', '\0', '\n', '\ud800', '😀', '__proto__', 'A'.repeat(9000)];

function mutated(random: Random): string {
  let token = random.pick(SEEDS);
  for (let i = random.below(3); i > 0; i--) {
    const at = random.below(token.length + 1);
    const character = random.pick([...'ABCZabcz0189-_=+/.', ...ODD]);
    const parts = token.split('.');
    const which = random.below(3);
    const changes = [
      () => token.slice(0, at) + character + token.slice(at + 1),
      () => token.slice(0, at) + character + token.slice(at),
      () => token.slice(0, at),
      () => parts.with(which % parts.length, random.pick(SEEDS).split('.')[which] ?? '').join('.'),
      () => `${token}${character}`,
    ];
    token = random.pick(changes)();
  }
  return token;
}

export const tokenTarget = defineTarget<string>({
  ...jsonLines<string>(),
  name: 'token',
  unit: 'messages',
  promise: 'A token grants something if and only if it is, to the letter, one that was signed and is still good.',
  make: (random) => Array.from({ length: TOKENS }, () => mutated(random)),
  run(tokens) {
    for (const token of tokens) {
      assert.equal(readToken(token, own.publicKey, NOW) !== null, GOOD.has(token), JSON.stringify(token));
    }
    return tokens.length;
  },
});
