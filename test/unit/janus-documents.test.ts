import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readDocuments } from '../../src/janus/documents.js';

describe('documents of one message', () => {
  const read = (text: string) => {
    const result = readDocuments(text);
    return result.ok ? result.documents : result.error.code;
  };

  test('a single object or array is one document', () => {
    assert.deepEqual(read('{"a":1}'), [{ a: 1 }]);
    assert.deepEqual(read(' [1,2] \n'), [[1, 2]]);
  });

  test('documents glued together are read in order, brackets in strings do not count', () => {
    assert.deepEqual(read('{"a":"}{"} {"b":"\\"]"}\n[3]'), [{ a: '}{' }, { b: '"]' }, [3]]);
  });

  test('one broken document spoils all of the message', () => {
    assert.equal(read('{"a":1}{"b":}'), 454);
    assert.equal(read('{"a":1} rubbish'), 454);
    assert.equal(read('{"a":1}{"b":1'), 454);
  });

  const refused: [what: string, text: string][] = [
    ['a NUL character in a text', '{"a":"x\\u0000"}'],
    ['a NUL character in a name', '{"\\u0000":1}'],
    ['the first half of a surrogate pair', '{"a":"\\ud83dx"}'],
    ['a first half at the end of a text', '[{"a":"\\ud83d"},"\\ude00"]'],
    ['the second half of a surrogate pair', '{"a":"\\n\\ude00"}'],
    ['two first halves', '{"a":"\\ud83d\\uD83d\\ude00"}'],
    ['an integer beyond 64 bits', '{"session_id":9223372036854775808}'],
    ['a negative integer beyond 64 bits', '[-9223372036854775809]'],
    ['a real number beyond the largest', '{"a":[1e400]}'],
    ['3000 arrays in each other', `{"a":${'['.repeat(3000)}${']'.repeat(3000)}}`],
    ['3000 objects in each other', `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`],
    ['a byte order mark', '\ufeff{}'],
  ];
  for (const [what, text] of refused) {
    test(`W8: ${what} is refused, as the reference server does`, () => {
      assert.equal(read(text), 454);
      assert.equal(read(`{}${text}{}`), 454);
    });
  }

  test('what only looks like that is taken', () => {
    for (const text of [
      '{"a":"\\ud83d\\ude00","b":"\\\\u0000","c":"\\\\ud83d"}',
      '{"a":"9223372036854775808 1e400","b":[9223372036854775807,-9223372036854775808,1e30,1e-400]}',
      `[${'[],'.repeat(5000)}"${'['.repeat(5000)}"]`,
      `${'['.repeat(2000)}${']'.repeat(2000)}`,
    ]) {
      assert.equal(JSON.stringify(read(text)), JSON.stringify([JSON.parse(text)]));
    }
  });

  for (const text of ['', '   ', '5', '"text"', 'null', 'true', '\u0000', '{"a":1}\u0000', '{"a":"\u0000"}', '}{']) {
    test(`${JSON.stringify(text)} is no request`, () => assert.equal(read(text), 454));
  }

  test('the error says line and column', () => {
    const result = readDocuments('{"a":1}\n  x');
    assert.ok(!result.ok);
    assert.equal(result.error.reason, "Invalid Janus API request - <string>(2,2): '[' or '{' expected");
  });

  test('any sequence of documents comes out as it went in', () => {
    const document = fc
      .oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))
      .filter((one) => !/\d{19}/.test(JSON.stringify(one)));
    fc.assert(
      fc.property(fc.array(document, { minLength: 1, maxLength: 5 }), fc.constantFrom('', ' ', '\r\n'), (list, gap) => {
        const texts = list.map((one) => JSON.stringify(one));
        assert.deepEqual(
          read(texts.join(gap)),
          texts.map((text) => JSON.parse(text)),
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('W8: any text gives documents or an error, never a throw', () => {
    const alphabet = fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'a', ' ', '\u0000', '\ud800');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 40 }), (parts) => {
        readDocuments(parts.join(''));
      }),
      { seed: 2, numRuns: 5000 },
    );
  });

  test('W8: 100,000 open brackets take no stack and little time', () => {
    const started = performance.now();
    assert.equal(read('['.repeat(100_000)), 454);
    assert.ok(performance.now() - started < 2000);
  });
});
