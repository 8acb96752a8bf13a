import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Outlines, templateOf } from '../../src/sdp/outlines.js';
import { parseDescription } from '../../src/sdp/parse.js';
import { FINGERPRINT, PWD, UFRAG } from '../support/sdp-corpus.js';

const sdpOf = (ufrag: string, pwd: string, fingerprint: string, codec = 'opus/48000/2') =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    ...['audio', 'video'].flatMap((kind, mid) => [
      `m=${kind} 9 UDP/TLS/RTP/SAVPF 100`,
      `a=mid:${mid}`,
      `a=ice-ufrag:${ufrag}`,
      `a=ice-pwd:${pwd}`,
      `a=fingerprint:${fingerprint}`,
      'a=setup:active',
      'a=recvonly',
      `a=rtpmap:100 ${mid === 0 ? codec : 'VP8/90000'}`,
    ]),
    '',
  ].join('\r\n');

function read(...given: Parameters<typeof sdpOf>) {
  const parsed = parseDescription(sdpOf(...given));
  return parsed.ok ? parsed.description : parsed.reason;
}

describe('descriptions that differ in their ICE and DTLS parameters only', () => {
  test('are read once, and each keeps its own parameters', () => {
    const other = FINGERPRINT.replaceAll('A', 'B');
    const [a, b] = [read(UFRAG, PWD, `sha-256 ${FINGERPRINT}`), read('abcd', `${PWD}xyz`, `sha-256 ${other}`)];
    assert.ok(typeof a === 'object' && typeof b === 'object');
    assert.equal(a.lines, b.lines);
    assert.deepEqual([a.transport.iceUfrag, b.transport.iceUfrag], [UFRAG, 'abcd']);
    assert.deepEqual([a.transport.icePwd, b.transport.icePwd], [PWD, `${PWD}xyz`]);
    assert.equal(a.transport.fingerprint.value, FINGERPRINT);
    assert.deepEqual(b.transport.fingerprint, { algorithm: 'sha-256', value: other });
  });

  test('are told apart by anything else', () => {
    const [a, b] = [
      read(UFRAG, PWD, `sha-256 ${FINGERPRINT}`),
      read(UFRAG, PWD, `sha-256 ${FINGERPRINT}`, 'PCMU/8000'),
    ];
    assert.ok(typeof a === 'object' && typeof b === 'object');
    assert.deepEqual([a.lines[0]?.codecs[0]?.name, b.lines[0]?.codecs[0]?.name], ['opus', 'pcmu']);
  });

  test('can not name each other’s parameters, nor parameters of no form', () => {
    for (const ufrag of ['=0', '=1', 'abc', 'ab cd', `${UFRAG} `, '']) {
      const described = read(ufrag, PWD, `sha-256 ${FINGERPRINT}`);
      if (typeof described === 'object') assert.equal(described.transport.iceUfrag, ufrag.trim());
      else assert.match(described, /Error processing SDP/);
    }
    assert.match(String(read(UFRAG, PWD, '=0 =0')), /fingerprint/);
    assert.match(String(read(UFRAG, PWD, 'sha-256')), /Error processing SDP/);
  });
});

describe('outlines', () => {
  test('are kept for so many templates only, the newest ones, and for none that declares SSRCs', () => {
    const outlines = new Outlines<number>();
    let made = 0;
    const get = (text: string) => outlines.get(text, () => ++made);
    assert.deepEqual([get('first'), get('first')], [1, 1]);
    for (let other = 0; other < 64; other++) get(`other ${other}`);
    assert.equal(get('first'), 66);
    assert.equal(get('other 63'), 65);
    assert.notEqual(get('m=audio\r\na=ssrc:1'), get('m=audio\r\na=ssrc:1'));
    assert.notEqual(get('x'.repeat(20_000)), get('x'.repeat(20_000)));
  });

  test('stand for all lines of a description but the parameters', () => {
    const { text, original } = templateOf([
      'm=audio 9 x 1',
      'a=ice-ufrag:abcd',
      'a=fingerprint:sha-256 AB:CD',
      'a=mid:0',
    ]);
    assert.equal(text, 'm=audio 9 x 1\r\na=ice-ufrag:=0\r\na=fingerprint:=1 =1\r\na=mid:0');
    assert.deepEqual(['=0', '=1', '=2', 'abc'].map(original), ['abcd', 'sha-256 AB:CD', '=2', 'abc']);
  });
});
