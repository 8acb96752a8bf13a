import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { messageParser } from '../../src/sfu/messages.js';

const parse = messageParser(256);
const reason = (body: unknown) => {
  const parsed = parse(body);
  return parsed.ok ? 'ok' : parsed.reason;
};

describe('the messages of the plugin', () => {
  const wrong: [unknown, string][] = [
    [{ x: 1 }, 'The field kind should be one of join, subscribe, kick, block, unblock, data (it is missing).'],
    [{ kind: 'fiddle' }, 'The field kind should be one of join, subscribe, kick, block, unblock, data (got "fiddle").'],
    [{ kind: 5 }, 'The field kind should be one of join, subscribe, kick, block, unblock, data (got a number).'],
    [{ kind: 'join' }, 'The field room_id of join should be a string (it is missing).'],
    [{ kind: 'join', room_id: 'r' }, 'The field user_id of join should be a string (it is missing).'],
    [{ kind: 'join', room_id: 'r', user_id: null }, 'The field user_id of join should be a string (got null).'],
    [{ kind: 'join', room_id: 5, user_id: 'u' }, 'The field room_id of join should be a string (got a number).'],
    [
      { kind: 'join', room_id: 'r', user_id: 'u', subscribe: true },
      'The field subscribe of join should be an object (got a boolean).',
    ],
    [
      { kind: 'join', room_id: 'r', user_id: 'u', subscribe: { data: 'yes' } },
      'The field subscribe.data of join should be a boolean (got a string).',
    ],
    [
      { kind: 'join', room_id: 'r', user_id: 'u', subscribe: { media: 5 } },
      'The field subscribe.media of join should be a string (got a number).',
    ],
    [
      { kind: 'join', room_id: 'r', user_id: 'u', token: 5 },
      'The field token of join should be a string (got a number).',
    ],
    [{ kind: 'data' }, 'The field body of data should be a string (it is missing).'],
    [{ kind: 'data', body: [] }, 'The field body of data should be a string (got an array).'],
    [{ kind: 'block' }, 'The field whom of block should be a string (it is missing).'],
    [{ kind: 'subscribe' }, 'The field what of subscribe should be an object (it is missing).'],
    [
      { kind: 'kick', room_id: 'r', user_id: 'u'.repeat(257) },
      'The field user_id of kick should be at most 256 bytes of UTF-8.',
    ],
    [
      { kind: 'kick', room_id: 'é'.repeat(129), user_id: 'u' },
      'The field room_id of kick should be at most 256 bytes of UTF-8.',
    ],
    [[], 'The message body should be an object (got an array).'],
  ];
  for (const [body, expected] of wrong) {
    test(`${JSON.stringify(body).slice(0, 60)} is refused by the name of its field`, () => {
      assert.equal(reason(body), expected);
    });
  }

  test('an empty body asks for nothing', () => assert.deepEqual(parse({}), { ok: true, message: null }));

  test('null as an optional field is the same as leaving it out, unknown fields are ignored', () => {
    const body = { kind: 'join', room_id: 'r', user_id: 'u', subscribe: null, token: null, more: 1 };
    const parsed = parse(body);
    assert.ok(parsed.ok && parsed.message?.kind === 'join');
    assert.equal(parsed.message.subscribe ?? 'absent', 'absent');
    assert.ok(!('more' in parsed.message));
  });

  test('ids may be any text of up to 256 bytes, names of object properties and the empty one included', () => {
    for (const id of [
      '',
      '__proto__',
      'constructor',
      'toString',
      '%s%n',
      '\u0000',
      'a\r\nb',
      '\ud800',
      'é'.repeat(128),
    ]) {
      const parsed = parse(JSON.parse(JSON.stringify({ kind: 'kick', room_id: id, user_id: id })));
      assert.ok(parsed.ok && parsed.message?.kind === 'kick', id);
      assert.deepEqual([parsed.message.room_id, parsed.message.user_id], [id, id]);
    }
  });

  test('a field named __proto__ changes nothing', () => {
    const body = JSON.parse('{"kind":"data","body":"x","__proto__":{"whom":"eve","polluted":true}}');
    const parsed = parse(body);
    assert.ok(parsed.ok && parsed.message?.kind === 'data');
    assert.equal(parsed.message.whom, undefined);
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });

  test('inherited fields do not count', () => {
    assert.match(reason(Object.create({ kind: 'data', body: 'x' }, { x: { value: 1, enumerable: true } })), /kind/);
  });

  test('any JSON gives a message or a reason, never a throw', () => {
    const value = fc.oneof(fc.jsonValue(), fc.string());
    const kind = fc.constantFrom('join', 'subscribe', 'kick', 'block', 'unblock', 'data', 'other');
    const fields = fc.constantFrom('room_id', 'user_id', 'subscribe', 'what', 'token', 'whom', 'body', '__proto__');
    fc.assert(
      fc.property(kind, fc.dictionary(fields, value), value, (name, body, other) => {
        for (const one of [{ ...body, kind: name }, other]) {
          const parsed = parse(one);
          if (!parsed.ok) assert.ok(parsed.reason.length > 0 && parsed.reason.length < 500);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});
