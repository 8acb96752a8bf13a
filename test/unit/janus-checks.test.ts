import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkAttach, checkMessage, checkTrickle } from '../../src/janus/checks.js';
import type { JanusError } from '../../src/janus/errors.js';

const said = (error: JanusError | null) => (error ? `${error.code} ${error.reason}` : 'ok');

describe('a message', () => {
  const check = (fields: Record<string, unknown>) => {
    const checked = checkMessage(fields);
    return checked.ok ? 'ok' : said(checked.error);
  };
  const withJsep = (jsep: unknown) => check({ body: {}, jsep });

  test('needs a body that is an object', () => {
    assert.equal(check({}), '456 Missing mandatory element (body)');
    for (const body of ['x', 3, null, [], true]) {
      assert.equal(check({ body }), '467 Invalid element type (body should be an object)');
    }
    assert.equal(check({ body: {} }), 'ok');
  });

  test('may have a jsep that is an object; null counts as none', () => {
    for (const jsep of ['x', [], 5, true]) assert.equal(withJsep(jsep), '455 Invalid jsep object');
    assert.equal(withJsep(null), 'ok');
  });

  const cases: [unknown, string][] = [
    [{}, '456 JSEP error: missing mandatory element (type)'],
    [{ type: 5, sdp: 'v=0' }, '467 JSEP error: invalid element type (type should be a string)'],
    [{ type: 'offer' }, '456 JSEP error: missing mandatory element (sdp)'],
    [{ type: 'offer', sdp: 5 }, '467 JSEP error: invalid element type (sdp should be a string)'],
    [{ type: 'offer', sdp: '', trickle: 1 }, '467 JSEP error: invalid element type (trickle should be a boolean)'],
    [{ type: 'offer', sdp: '', rid_order: 1 }, '467 JSEP error: invalid element type (rid_order should be a string)'],
    [{ type: 'offer', sdp: '', e2ee: 'x' }, '467 JSEP error: invalid element type (e2ee should be a boolean)'],
    [{ type: 'pranswer', sdp: '' }, "464 JSEP error: unknown message type 'pranswer'"],
    [{ type: 'offer', sdp: '', trickle: null }, '467 JSEP error: invalid element type (trickle should be a boolean)'],
    [{ type: 'OFFER', sdp: '', trickle: false }, 'ok'],
  ];
  for (const [jsep, expected] of cases) {
    test(`jsep ${JSON.stringify(jsep)}: ${expected}`, () => assert.equal(withJsep(jsep), expected));
  }
});

describe('an attach', () => {
  const check = (fields: Record<string, unknown>) => {
    const checked = checkAttach(fields);
    return checked.ok ? 'ok' : said(checked.error);
  };

  test('needs a plugin', () => {
    assert.equal(check({}), '456 Missing mandatory element (plugin)');
    assert.equal(check({ plugin: 3 }), '467 Invalid element type (plugin should be a string)');
  });

  test('takes a loop index of null, as naf-janus-adapter sends it for ids that are no numbers', () => {
    assert.equal(check({ plugin: 'x', loop_index: null }), 'ok');
    assert.equal(
      check({ plugin: 'x', loop_index: 'x' }),
      '467 Invalid element type (loop_index should be a positive integer)',
    );
    for (const opaque_id of [5, null]) {
      assert.equal(check({ plugin: 'x', opaque_id }), '467 Invalid element type (opaque_id should be a string)');
    }
  });
});

describe('a trickle', () => {
  const candidate = { candidate: 'candidate:1 1 UDP 1 127.0.0.1 5 typ host', sdpMid: '0' };

  test('has one of candidate and candidates, at any time', () => {
    for (const negotiating of [false, true]) {
      assert.equal(said(checkTrickle({}, negotiating)), '456 Missing mandatory element (candidate|candidates)');
      const both = { candidate, candidates: [candidate] };
      assert.equal(said(checkTrickle(both, negotiating)), "454 Can't have both candidate and candidates");
      for (const fine of [{ candidate }, { candidate: null }, { candidate: { completed: true } }, { candidates: [] }]) {
        assert.equal(said(checkTrickle(fine, negotiating)), 'ok');
      }
    }
  });

  const wrong: [unknown, string][] = [
    [{}, '456 Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)'],
    [{ sdpMid: 5 }, '467 Trickle error: invalid element type (sdpMid should be a string)'],
    [{ sdpMLineIndex: -1 }, '467 Trickle error: invalid element type (sdpMLineIndex should be a positive integer)'],
    [{ sdpMid: '0' }, '456 Trickle error: missing mandatory element (candidate)'],
    [{ sdpMid: '0', candidate: 5 }, '467 Trickle error: invalid element type (candidate should be a string)'],
    ['x', '467 Trickle error: invalid element type (candidate should be an object)'],
  ];
  for (const [value, expected] of wrong) {
    test(`${JSON.stringify(value)} is taken early, and refused once there is a PeerConnection`, () => {
      assert.equal(said(checkTrickle({ candidate: value }, false)), 'ok');
      assert.equal(said(checkTrickle({ candidate: value }, true)), expected);
    });
  }

  test('a mid of null, empty text and end of candidates are fine', () => {
    for (const value of [
      { ...candidate, sdpMid: null, sdpMLineIndex: 0 },
      { candidate: '', sdpMid: '0' },
      { candidate: 'end-of-candidates', sdpMid: '0' },
      { completed: false },
    ]) {
      assert.equal(said(checkTrickle({ candidate: value }, true)), 'ok');
    }
  });
});
