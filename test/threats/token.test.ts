// Runs beside others: it checks tokens in its own process.
import assert from 'node:assert/strict';
import { constants, createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { Gatekeeper, type Permission } from '../../src/sfu/gatekeeper.js';
import { readPublicKey, readToken } from '../../src/sfu/token.js';

const NOW = 1_800_000_000;
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const full = { join_hub: true, kick_users: true, exp: NOW + 60 };

const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

interface Forged {
  alg?: string;
  header?: object;
  /** JSON text of the claims, if JSON.stringify can't write it. */
  text?: string;
  key?: KeyObject;
  hash?: string;
  pss?: boolean;
  hmac?: Buffer;
}

function token(
  claims: object,
  { alg = 'RS512', header = {}, text, key = keys.privateKey, hash = 'sha512', pss, hmac }: Forged = {},
): string {
  const head = `${base64url({ typ: 'JWT', alg, ...header })}.${base64url(text ?? claims)}`;
  if (alg === 'none') return `${head}.`;
  if (hmac) return `${head}.${createHmac(hash, hmac).update(head).digest('base64url')}`;
  const options = pss
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : key;
  return `${head}.${sign(hash, Buffer.from(head), options).toString('base64url')}`;
}

const read = (text: string) => readToken(text, keys.publicKey, NOW);

describe('a token', () => {
  test('A1: signed with RS512 and not expired is taken', () => {
    assert.deepEqual(read(token({ ...full, room_ids: ['a'], user_id: 'ann' })), {
      joinHub: true,
      kickUsers: true,
      rooms: ['a'],
      user: 'ann',
      expires: NOW + 60,
    });
    assert.deepEqual(read(token({ exp: NOW + 1 })), {
      joinHub: false,
      kickUsers: false,
      rooms: null,
      user: null,
      expires: NOW + 1,
    });
  });

  const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
  const pkcs1 = keys.publicKey.export({ type: 'pkcs1', format: 'der' });
  const pem = Buffer.from(keys.publicKey.export({ type: 'spki', format: 'pem' }));
  const forged: [string, string][] = [
    ['A1: with alg none', token(full, { alg: 'none' })],
    ['A1: with alg None', token(full, { alg: 'None' })],
    ['A1: with RS256', token(full, { alg: 'RS256', hash: 'sha256' })],
    ['A1: with RS384', token(full, { alg: 'RS384', hash: 'sha384' })],
    ['A1: with PS512', token(full, { alg: 'PS512', pss: true })],
    ['A1: with an RS512 header over a PSS signature', token(full, { pss: true })],
    ['A1: with rs512 in lower case', token(full, { alg: 'rs512' })],
    ['A1: with HS512 with the SPKI DER as secret', token(full, { alg: 'HS512', hmac: spki })],
    ['A1: with HS512 with the PKCS#1 DER as secret', token(full, { alg: 'HS512', hmac: pkcs1 })],
    ['A1: with HS512 with the PEM as secret', token(full, { alg: 'HS512', hmac: pem })],
    ['A1: with an RS512 header over an HMAC', token(full, { hmac: pem })],
    ['A3: with the key of somebody else', token(full, { key: other.privateKey })],
    [
      'A1: with the key of somebody else, brought along',
      token(full, { key: other.privateKey, header: { jwk: other.publicKey.export({ format: 'jwk' }) } }),
    ],
    ['A1: with a critical header that we don’t know', token(full, { header: { crit: ['b64'], b64: false } })],
    ['A1: with ES512', token(full, { alg: 'ES512', key: curve.privateKey })],
    [
      'A1: with the key of somebody else, and where it is to be found',
      token(full, { key: other.privateKey, header: { jku: 'https://example.org/keys', kid: '../../dev/null' } }),
    ],
    ['A2: with no exp', token({ join_hub: true })],
    ['A2: with exp in the past', token({ ...full, exp: NOW - 1 })],
    ['A2: with exp right now', token({ ...full, exp: NOW })],
    ['A2: with exp as a text', token({ ...full, exp: 'soon' })],
    ['A2: with exp as a float', token({ ...full, exp: NOW + 60.5 })],
    ['A2: with exp negative', token({ ...full, exp: -1 })],
    ['A2: with exp too large for a number', token({}, { text: '{"join_hub":true,"exp":1e400}' })],
    ['A5: with join_hub as a text', token({ ...full, join_hub: 'true' })],
    ['A5: with kick_users as a number', token({ ...full, kick_users: 1 })],
    ['A5: with room_ids as a text', token({ ...full, room_ids: 'a' })],
    ['A5: with room_ids with a number', token({ ...full, room_ids: ['a', 1] })],
    ['A5: with user_id as a number', token({ ...full, user_id: 5 })],
    ['A5: with claims that are no object', token([], { text: '"text"' })],
    ['A3: with two parts', token(full).split('.').slice(0, 2).join('.')],
    ['A3: with a fourth part', `${token(full)}.x`],
    ['A3: with a cut signature', token(full).slice(0, -4)],
    ['A3: with padding', `${token(full)}==`],
    ['A3: with rubbish', 'rubbish'],
    ['A3: with nothing', ''],
  ];
  for (const [name, text] of forged) test(`${name} is refused`, () => assert.equal(read(text), null));

  test('A3: whose base64url has stray bits in its last character is refused', () => {
    const good = token(full);
    const last = good.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = alphabet[alphabet.indexOf(last) ^ 1] ?? '';
    const changed = good.slice(0, -1) + stray;
    const signature = (text: string) => Buffer.from(text.split('.')[2] ?? '', 'base64url');
    assert.ok(signature(changed).equals(signature(good)), 'both decode to the same signature');
    assert.equal(read(changed), null);
  });

  test('A2: may be from the future, for somebody else and from anywhere: those claims are not looked at (hole h)', () => {
    const claims = { ...full, nbf: NOW + 1000, iat: NOW + 1000, aud: 'x', iss: 'y' };
    assert.notEqual(read(token(claims, { header: { kid: '1' } })), null);
  });

  test('A3: of more than 8 KiB is refused in little time, however long, and counted', () => {
    const gate = new Gatekeeper(keys.publicKey, { now: () => NOW });
    const long = [
      token({ ...full, fill: 'x'.repeat(8192) }),
      '.'.repeat(2 ** 20),
      ...Array.from({ length: 20 }, () => `${'a'.repeat(300_000)}.${'b'.repeat(300_000)}.${'c'.repeat(300_000)}`),
    ];
    const started = performance.now();
    for (const text of long) {
      assert.deepEqual(gate.join(text, 'room', 'ann'), { ok: false, reason: 'Rejecting join with invalid token!' });
    }
    assert.ok((performance.now() - started) / long.length < 30);
    assert.equal(gate.refused.get('too_long'), long.length);
    assert.ok(gate.join(token({ ...full, fill: 'x'.repeat(5000) }), 'room', 'ann').ok);
  });
});

describe('the key', () => {
  for (const type of ['pkcs1', 'spki'] as const) {
    test(`A4: may be ${type}, in DER and in PEM`, () => {
      for (const bytes of [
        keys.publicKey.export({ type, format: 'der' }),
        Buffer.from(keys.publicKey.export({ type, format: 'pem' })),
      ]) {
        assert.notEqual(readToken(token(full), readPublicKey(bytes), NOW), null);
      }
    });
  }

  const tiny = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;

  const refused: [string, Buffer, RegExp][] = [
    ['is empty', Buffer.alloc(0), /neither/],
    ['is rubbish', Buffer.from('rubbish'), /neither/],
    ['is cut', keys.publicKey.export({ type: 'spki', format: 'der' }).subarray(0, 100), /neither/],
    ['has 512 bits', tiny.export({ type: 'pkcs1', format: 'der' }), /512 bits; at least 2048/],
    ['has 1024 bits', weak.export({ type: 'pkcs1', format: 'der' }), /1024 bits; at least 2048/],
    ['is for ECDSA', curve.publicKey.export({ type: 'spki', format: 'der' }), /key for ec; an RSA key is needed/],
    ['is private', Buffer.from(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })), /private key/],
  ];
  for (const [name, bytes, expected] of refused) {
    test(`A4: that ${name} is refused with the reason`, () => assert.throws(() => readPublicKey(bytes), expected));
  }

  test('A4: is not taken from a private one in DER either', () => {
    const der = createPrivateKey(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
      type: 'pkcs8',
      format: 'der',
    });
    assert.throws(() => readPublicKey(der), /private key/);
  });
});

describe('who may do what', () => {
  const gate = new Gatekeeper(keys.publicKey, { now: () => NOW });
  const open = new Gatekeeper(null, { now: () => NOW });
  const reason = (permission: Permission) => (permission.ok ? 'ok' : permission.reason);

  const joins: [string, string | null, string][] = [
    ['no token', null, 'Rejecting anonymous join!'],
    ['rubbish', 'rubbish', 'Rejecting join with invalid token!'],
    ['join_hub', token({ exp: NOW + 60, join_hub: true }), 'ok'],
    ['no join_hub', token({ exp: NOW + 60 }), 'Rejecting join without permission!'],
    ['join_hub false', token({ exp: NOW + 60, join_hub: false }), 'Rejecting join without permission!'],
    ['the room among room_ids', token({ ...full, room_ids: ['r', 's'] }), 'ok'],
    ['another room', token({ ...full, room_ids: ['s'] }), 'Rejecting join without permission!'],
    ['no room at all', token({ ...full, room_ids: [] }), 'Rejecting join without permission!'],
    ['room_ids null', token({ ...full, room_ids: null }), 'ok'],
    ['its own user id', token({ ...full, user_id: 'ann' }), 'ok'],
    ['somebody else’s user id', token({ ...full, user_id: 'bob' }), 'Rejecting join without permission!'],
    ['its own sub', token({ ...full, sub: 'ann' }), 'ok'],
    ['somebody else’s sub', token({ ...full, sub: 'bob' }), 'Rejecting join without permission!'],
  ];
  for (const [name, text, expected] of joins) {
    test(`A5: a join with ${name}: ${expected}`, () => assert.equal(reason(gate.join(text, 'r', 'ann')), expected));
  }

  test('A6: where tokens have to name their user, one that names nobody or somebody else lets nobody in (hole a)', () => {
    const strict = new Gatekeeper(keys.publicKey, { now: () => NOW, userRequired: true });
    for (const claims of [{}, { user_id: null }, { user_id: 'bob' }, { sub: 'bob' }, { user_id: '' }]) {
      const text = token({ ...full, ...claims });
      assert.equal(reason(strict.join(text, 'r', 'ann')), 'Rejecting join without permission!', JSON.stringify(claims));
      assert.equal(reason(strict.subscribe(text, true, 'ann')), 'Rejecting subscribe without permission!');
    }
    assert.equal(reason(strict.subscribe(token(full), false, null)), 'Rejecting subscribe without permission!');
    for (const claims of [{ user_id: 'ann' }, { sub: 'ann' }, { user_id: 'ann', sub: 'bob' }]) {
      assert.equal(reason(strict.join(token({ ...full, ...claims }), 'r', 'ann')), 'ok');
    }
    assert.deepEqual(strict.refused.get('permission'), 11);
  });

  test('without a key everybody joins and nobody kicks', () => {
    assert.equal(reason(open.join(null, 'r', 'ann')), 'ok');
    assert.match(reason(open.kick(token(full), 'r')), /no key/);
  });

  const kicks: [string, string | null, string][] = [
    ['no token', null, 'Rejecting anonymous kick!'],
    ['rubbish', 'rubbish', 'Rejecting kick with invalid token!'],
    ['no kick_users', token({ exp: NOW + 60, join_hub: true }), 'Rejecting kick without permission!'],
    ['kick_users', token({ exp: NOW + 60, kick_users: true }), 'ok'],
    ['kick_users for another room', token({ ...full, room_ids: ['s'] }), 'Rejecting kick without permission!'],
  ];
  for (const [name, text, expected] of kicks) {
    test(`A8: a kick with ${name}: ${expected}`, () => assert.equal(reason(gate.kick(text, 'r')), expected));
  }

  test('a subscription hears the rooms of its token, and before joining needs one', () => {
    assert.equal(reason(gate.subscribe(null, false, null)), 'Rejecting anonymous subscribe!');
    assert.equal(reason(gate.subscribe('rubbish', true, 'ann')), 'Rejecting subscribe with invalid token!');
    assert.deepEqual(gate.subscribe(null, true, 'ann'), { ok: true, rooms: [] });
    assert.deepEqual(gate.subscribe(token({ ...full, room_ids: ['s'] }), true, 'ann'), { ok: true, rooms: ['s'] });
    assert.deepEqual(gate.subscribe(token(full), false, null), { ok: true, rooms: null });
    assert.equal(
      reason(gate.subscribe(token({ exp: NOW + 60 }), true, 'ann')),
      'Rejecting subscribe without permission!',
    );
    assert.deepEqual(open.subscribe(null, false, null), { ok: true, rooms: null });
    assert.deepEqual(open.subscribe(null, true, 'ann'), { ok: true, rooms: [] });
  });
});
