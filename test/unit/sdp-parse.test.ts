import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chromeOffer, clientOffers, FINGERPRINT, firefoxOffer, PWD, sdp, UFRAG } from '../support/sdp-corpus.js';
import { description, refusal } from '../support/sdp-meaning.js';

const AUDIO = chromeOffer({ lines: ['audio'] });

describe('Descriptions of clients', () => {
  for (const [client, offer] of Object.entries(clientOffers)) {
    test(`of ${client} are read line by line, in order`, () => {
      const { lines, grouped } = description(offer({ lines: ['data', 'audio', 'video'] }));
      assert.deepEqual(
        lines.map(({ kind }) => kind),
        ['application', 'audio', 'video'],
      );
      assert.ok(lines.every((line) => line.bundled && !line.rejected));
      assert.ok(grouped);
      assert.equal(lines[0]?.sctpPort, 5000);
      assert.ok(
        lines[1]?.codecs.some(
          ({ name, clockRate, channels }) => name === 'opus' && clockRate === 48000 && channels === 2,
        ),
      );
      assert.equal(new Set(lines.map(({ mid }) => mid)).size, 3);
    });
  }

  test('keep the transport of their first line', () => {
    const { transport } = description(AUDIO);
    assert.deepEqual(transport, {
      iceUfrag: UFRAG,
      icePwd: PWD,
      fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
      setup: 'actpass',
    });
  });

  test("take the session's fingerprint where a line has none, and the line's where it has one", () => {
    const firefox = firefoxOffer({ lines: ['audio'] });
    assert.equal(description(firefox).transport.fingerprint.value, FINGERPRINT);
    const other = FINGERPRINT.replace('8A', '8B');
    const own = firefox.replace('a=mid:0\r\n', `a=mid:0\r\na=fingerprint:sha-256 ${other}\r\n`);
    assert.equal(description(own).transport.fingerprint.value, other);
  });

  test('take the transport of the first line in use when the first line is a stopped one', () => {
    const [session = '', audio = '', video = ''] = chromeOffer({ lines: ['audio', 'video'] }).split('m=');
    const stopped = `${session}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:9\r\nm=${video}`;
    assert.equal(description(stopped.replace('BUNDLE 0 1', 'BUNDLE 1')).transport.iceUfrag, UFRAG);
    assert.ok(audio.length > 0);
  });

  test('count a line of port 0 that is bundle-only as in use', () => {
    const bundleOnly = AUDIO.replace('m=audio 9', 'm=audio 0').replace('a=mid:0', 'a=mid:0\r\na=bundle-only');
    assert.equal(description(bundleOnly).lines[0]?.rejected, false);
    assert.equal(description(AUDIO.replace('m=audio 9', 'm=audio 0')).lines[0]?.rejected, true);
  });

  test('may end their lines in \\n, or mix the two', () => {
    const expected = description(AUDIO);
    assert.deepEqual(description(AUDIO.replaceAll('\r\n', '\n')), expected);
    assert.deepEqual(description(AUDIO.replace('\r\na=ice-ufrag', '\na=ice-ufrag')), expected);
    assert.deepEqual(description(AUDIO.replace('\r\na=ice-ufrag', '\r\n\na=ice-ufrag')), expected);
  });

  test('keep numeric credentials and mids as they were written', () => {
    const { transport, lines } = description(
      AUDIO.replaceAll(UFRAG, '1234').replaceAll(PWD, '1234567890123456789012').replace('a=mid:0', 'a=mid:007'),
    );
    assert.equal(transport.iceUfrag, '1234');
    assert.equal(transport.icePwd, '1234567890123456789012');
    assert.equal(lines[0]?.mid, '007');
  });

  test('say which SSRC a line sends, the media one of an FID group', () => {
    const { lines } = description(chromeOffer({ lines: ['audio', 'video', 'data'] }));
    assert.deepEqual(
      lines.map(({ ssrc }) => ssrc),
      [3109473544, 3473273004, null],
    );
    const reordered = firefoxOffer({ lines: ['video'] }).replace(
      'FID 3473273004 1070005218',
      'FID 1070005218 3473273004',
    );
    assert.equal(description(reordered).lines[0]?.ssrc, 1070005218);
  });

  test('leave out extensions that only the client receives, and encrypted ones', () => {
    const uris = description(firefoxOffer({ lines: ['audio'] })).lines[0]?.extensions.map(({ uri }) => uri);
    assert.deepEqual(uris, ['urn:ietf:params:rtp-hdrext:ssrc-audio-level', 'urn:ietf:params:rtp-hdrext:sdes:mid']);
    const encrypted = AUDIO.replace('a=extmap:1 ', 'a=extmap:1 urn:ietf:params:rtp-hdrext:encrypt ');
    assert.ok(!description(encrypted).lines[0]?.extensions.some(({ id }) => id === 1));
  });

  test('hold the last value of a parameter that naf-janus-adapter wrote twice', () => {
    const twice = AUDIO.replace('a=fmtp:111', 'a=fmtp:111 stereo=1\r\na=fmtp:111 stereo=0\r\na=fmtp:111');
    const opus = description(twice).lines[0]?.codecs[0];
    assert.equal(opus?.parameters.get('stereo'), '0');
    assert.equal(opus?.parameters.get('useinbandfec'), '1');
  });

  test('with __proto__ as mid, medium, parameter or attribute name change nothing but themselves', () => {
    const text = AUDIO.replace('a=mid:0', 'a=mid:__proto__')
      .replace('BUNDLE 0', 'BUNDLE __proto__')
      .replace('minptime=10', '__proto__=1;constructor=2')
      .replace('a=rtcp-mux', 'a=rtcp-mux\r\na=__proto__:polluted\r\na=rtcp-fb:__proto__ nack');
    const { lines } = description(`${text}m=__proto__ 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:constructor\r\n`);
    assert.equal(lines[0]?.mid, '__proto__');
    assert.equal(lines[0]?.codecs[0]?.parameters.get('__proto__'), '1');
    assert.equal(lines[1]?.kind, 'other');
    assert.deepEqual(Object.keys(Object.prototype), []);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  test('without any group share one transport; with one, lines outside it are not part of it', () => {
    const offer = chromeOffer({ lines: ['audio', 'video'] });
    const bundled = (text: string) => description(text).lines.map((line) => line.bundled);
    assert.deepEqual(bundled(offer.replace('a=group:BUNDLE 0 1\r\n', '')), [true, true]);
    assert.deepEqual(bundled(offer.replace('BUNDLE 0 1', 'BUNDLE 0')), [true, false]);
  });
});

describe('Descriptions that are refused', () => {
  test("have Janus' code and text where Janus has one", () => {
    for (const text of ['', 'rubbish', 'o=- 1 1 IN IP4 0.0.0.0\r\nv=0', ' v=0']) {
      assert.equal(refusal(text), "465 Invalid SDP (doesn't start with v=)");
    }
    const session = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];
    const missing = '465 Missing mandatory lines (o=, s= or m=)';
    assert.equal(refusal(sdp(session)), missing);
    assert.equal(refusal('v=0'), missing);
    assert.equal(refusal(AUDIO.replace(/o=.*\r\n/, '')), missing);
    assert.equal(refusal(AUDIO.replace(/s=-\r\n/, '')), missing);
    for (const attribute of ['ice-ufrag', 'ice-pwd', 'fingerprint']) {
      assert.equal(refusal(AUDIO.replace(new RegExp(`a=${attribute}:.*\r\n`), '')), '465 Error processing SDP');
    }
  });

  test('say which credential has a bad form: none of these reaches native code', () => {
    const bad = (attribute: string, values: string[]) => {
      for (const value of values) {
        const text = AUDIO.replace(new RegExp(`a=${attribute}:.*\r\n`), () => `a=${attribute}:${value}\r\n`);
        assert.match(
          refusal(text),
          /^465 (Error processing SDP( \(a=|$)|Invalid SDP \(a= lines have printable)/,
          `${attribute} ${value}`,
        );
      }
    };
    bad('ice-ufrag', ['', 'abc', 'a'.repeat(257), 'ab cd', 'ab-cd', 'ab%s', 'abcdé', 'abcd\u2028', '<abcd>']);
    bad('ice-pwd', ['', 'short', 'p'.repeat(257), '%n%n%n%n%n%n%n%n%n%n%n%n', `${'p'.repeat(21)}_`]);
    bad('setup', ['', 'holdconn', 'actpass2', 'ACTIVE', '__proto__']);
    bad('fingerprint', [
      '',
      'sha-256',
      `md5 ${FINGERPRINT}`,
      `__proto__ ${FINGERPRINT}`,
      `sha-1 ${FINGERPRINT}`,
      `sha-256 ${FINGERPRINT}:00`,
      `sha-256 ${FINGERPRINT.slice(3)}`,
      `sha-256 ${FINGERPRINT.replaceAll(':', '-')}`,
      `sha-256 ${FINGERPRINT.replace('8A', 'XX')}`,
      `sha-256 ${'%s'.repeat(40)}`,
    ]);
  });

  test('take fingerprints in any case, and SHA-1 as the reference server does', () => {
    const lower = AUDIO.replace(`sha-256 ${FINGERPRINT}`, `SHA-256 ${FINGERPRINT.toLowerCase()}`);
    assert.deepEqual(description(lower).transport.fingerprint, { algorithm: 'sha-256', value: FINGERPRINT });
    const sha1 = FINGERPRINT.slice(0, 59);
    assert.equal(
      description(AUDIO.replace(`sha-256 ${FINGERPRINT}`, `sha-1 ${sha1}`)).transport.fingerprint.value,
      sha1,
    );
  });

  test('have a mid that is no token, is too long, or is there twice', () => {
    for (const mid of ['', 'a'.repeat(17), 'a"b', '<b>', 'a,b', 'a:b', 'a/b']) {
      assert.match(
        refusal(AUDIO.replace('a=mid:0', `a=mid:${mid}`)),
        /^465 Error processing SDP \(a=mid must be a token/,
        mid,
      );
    }
    assert.equal(description(AUDIO.replace('a=mid:0', `a=mid:${'a'.repeat(16)}`)).lines[0]?.mid.length, 16);
    const twice = chromeOffer({ lines: ['audio', 'video'] }).replace('a=mid:1', 'a=mid:0');
    assert.equal(refusal(twice), '465 Error processing SDP (two lines with a=mid:0)');
  });

  test('have more words in a value than belong there', () => {
    assert.equal(
      refusal(AUDIO.replace(`a=ice-ufrag:${UFRAG}`, `a=ice-ufrag:${UFRAG} x`)),
      '465 Error processing SDP (a=ice-ufrag has more than 1 word)',
    );
    assert.match(refusal(AUDIO.replace(FINGERPRINT, `${FINGERPRINT} x`)), /more than 2 words\)$/);
    assert.equal(description(AUDIO.replace('a=mid:0', 'a=mid:0 ')).lines[0]?.mid, '0');
  });

  test('have an m-line that is none', () => {
    for (const line of [
      'audio',
      'audio 9',
      'audio x UDP/TLS/RTP/SAVPF 111',
      'audio 65536 UDP/TLS/RTP/SAVPF 111',
      'a-b 9 UDP 1',
    ]) {
      assert.match(refusal(AUDIO.replace(/m=.*\r\n/, `m=${line}\r\n`)), /^465 Invalid SDP \(m= must/, line);
    }
    assert.match(refusal(AUDIO.replace(/m=.*\r\n/, `m=audio 9 ${'A'.repeat(33)} 111\r\n`)), /^465 Invalid SDP/);
  });

  test('have control characters, or what we read is not ASCII', () => {
    for (const control of ['\0', '\r']) {
      assert.match(refusal(AUDIO.replace('a=mid:0', `a=mid:0${control}a=x`)), /^465 Invalid SDP \(lines end in/);
    }
    for (const letter of ['ä', '\t', '\u2028', '\ud800', '\x7f']) {
      assert.match(refusal(AUDIO.replace('a=mid:0', `a=mid:0${letter}`)), /^465 Invalid SDP \(a= lines have printable/);
    }
    assert.ok(description(AUDIO.replace('s=-', 's=Grüße').replace('a=rtcp-mux', 'a=rtcp-mux\r\na=title:Grüße')));
  });

  test('are larger than the limits, and up to them are not', () => {
    const cases: [string, (count: number) => string, number][] = [
      ['bytes', (count) => `${AUDIO}a=x:${'x'.repeat(count - AUDIO.length - 6)}\r\n`, 64 * 1024],
      ['lines', (count) => AUDIO + 'a=x\r\n'.repeat(count - (AUDIO.split('\n').length - 1)), 2000],
      ['m= lines', (count) => AUDIO + 'm=audio 0 RTP/SAVPF 0\r\n'.repeat(count - 1), 32],
      ['candidates', (count) => AUDIO + 'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n'.repeat(count), 64],
    ];
    for (const [what, make, limit] of cases) {
      assert.ok(description(make(limit)), what);
      assert.match(refusal(make(limit + 1)), new RegExp(`^465 SDP too large \\(more than ${limit} ${what}\\)$`), what);
    }
    assert.match(refusal(`${AUDIO}a=x:${'é'.repeat(33_000)}\r\n`), /more than 65536 bytes/);
  });
});
