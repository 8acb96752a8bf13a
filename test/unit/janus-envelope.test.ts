import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readEnvelope } from '../../src/janus/envelope.js';

const outcome = (document: unknown) => {
  const read = readEnvelope(document);
  return read.ok ? 'ok' : `${read.error.code} ${read.error.reason}`;
};

describe('the envelope of a request', () => {
  const cases: [string, unknown, string][] = [
    ['no transaction', { janus: 'ping' }, '456 Missing mandatory element (transaction)'],
    [
      'a number as transaction',
      { janus: 'ping', transaction: 7 },
      '467 Invalid element type (transaction should be a string)',
    ],
    ['an empty transaction', { janus: 'ping', transaction: '' }, 'ok'],
    ['no verb', { transaction: 't' }, '456 Missing mandatory element (janus)'],
    ['a number as verb', { janus: 5, transaction: 't' }, '467 Invalid element type (janus should be a string)'],
    [
      'a negative id',
      { janus: 'create', transaction: 't', id: -1 },
      '467 Invalid element type (id should be a positive integer)',
    ],
    [
      'a text as id',
      { janus: 'create', transaction: 't', id: '12' },
      '467 Invalid element type (id should be a positive integer)',
    ],
    [
      'an id of null',
      { janus: 'create', transaction: 't', id: null },
      '467 Invalid element type (id should be a positive integer)',
    ],
    [
      'an id that numbers can not hold',
      { janus: 'create', transaction: 't', id: 2 ** 60 },
      '467 Invalid element type (id should be a positive integer)',
    ],
    ['an array', [1], '456 Missing mandatory element (transaction)'],
    [
      'fields that are only inherited',
      Object.create({ janus: 'ping', transaction: 't' }),
      '456 Missing mandatory element (transaction)',
    ],
  ];
  for (const [name, document, expected] of cases) test(`with ${name}`, () => assert.equal(outcome(document), expected));

  test('ids that are no integers count as absent, and a wrong handle id as given', () => {
    for (const wrong of ['5', true, {}, 1.5, 1e30, -(2 ** 63)]) {
      const read = readEnvelope({ janus: 'x', transaction: 't', session_id: wrong, handle_id: wrong });
      assert.ok(read.ok);
      assert.deepEqual([read.envelope.sessionId, read.envelope.handleId, read.envelope.handleGiven], [0, 0, true]);
    }
    const read = readEnvelope({ janus: 'x', transaction: 't', session_id: null, handle_id: null });
    assert.ok(read.ok);
    assert.deepEqual([read.envelope.sessionId, read.envelope.handleGiven], [0, false]);
  });

  test('verbs are compared without regard to case, and said as they came', () => {
    const read = readEnvelope({ janus: 'PiNg', transaction: 't' });
    assert.ok(read.ok);
    assert.deepEqual([read.envelope.verb, read.envelope.verbText], ['ping', 'PiNg']);
  });

  test('an error names the session that the request claimed', () => {
    const read = readEnvelope({ janus: 'ping', session_id: 77 });
    assert.ok(!read.ok);
    assert.equal(read.sessionId, 77);
  });
});
