import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SDP_LIMITS } from '../../src/sdp/intake.js';
import { parseDescription } from '../../src/sdp/parse.js';
import { limit, shownOnce } from '../support/attempts.js';
import { quickest } from '../support/quickest.js';
import { chromeOffer, clientOffers, type LineDirection, type LineName } from '../support/sdp-corpus.js';
import { exercise } from './targets/sdp.js';

const SEED = 20261122;
const FULL = chromeOffer({ lines: ['data', 'audio', 'video'] });

const offerOfSomeClient = fc
  .record({
    client: fc.constantFrom(...Object.values(clientOffers)),
    lines: fc.uniqueArray(fc.constantFrom<LineName>('audio', 'video', 'data'), { minLength: 1 }),
    direction: fc.constantFrom<LineDirection>('sendrecv', 'sendonly', 'recvonly', 'inactive'),
    setup: fc.constantFrom('actpass', 'active', 'passive'),
  })
  .map(({ client, ...options }) => client(options));

describe('SDP of hostile clients', () => {
  test('S2: of every client form is accepted, answered in order with its mids, and leads to a good offer', () => {
    fc.assert(
      fc.property(offerOfSomeClient, (offer) => exercise(offer)),
      { seed: SEED, numRuns: 300 },
    );
  });

  const bombs: [string, string][] = [
    ['1 MiB of one attribute', `${FULL}a=x:${'x'.repeat(1 << 20)}\r\n`],
    ['1 MiB of line ends', FULL + '\n'.repeat(1 << 20)],
    ['60,000 lines', FULL + 'a\n'.repeat(26_000)],
    ['2,001 attributes', FULL + 'a=fmtp:96 x\r\n'.repeat(2001)],
    ['33 m-lines', FULL + 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(33)],
    ['1,000 candidates', FULL + 'a=candidate:1 1 udp 1 a.local 1 typ host\r\n'.repeat(1000)],
    ['16,000 candidates', FULL + 'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n'.repeat(16_000)],
  ];
  for (const [name, bomb] of bombs) {
    test(`S1: of ${name} is refused within 5 ms`, (t) => {
      assert.equal(parseDescription(bomb).ok, false);
      return shownOnce(t, async () => {
        const spent = quickest(() => parseDescription(bomb), 7);
        limit(spent < 5, `${spent.toFixed(1)} ms`);
      });
    });
  }

  /** Texts as large as the limits allow, made of what each expression of the grammar could stumble over. */
  const fillers: [string, (size: number) => string][] = [
    ['one long fmtp', (size) => `${FULL}a=fmtp:111 ${'a=b;'.repeat(size / 4)}\r\n`],
    ['one long fmtp of spaces', (size) => `${FULL}a=fmtp:111 ${' '.repeat(size)}\r\n`],
    ['one long rtpmap', (size) => `${FULL}a=rtpmap:96 ${'-'.repeat(size / 2)}${' '.repeat(size / 2)}\r\n`],
    ['one long extmap', (size) => `${FULL}a=extmap:9 ${'x '.repeat(size / 2)}\r\n`],
    ['one long rtcp-fb', (size) => `${FULL}a=rtcp-fb:96 ${'nack '.repeat(size / 5)}\r\n`],
    ['one long group', (size) => FULL.replace('a=group:BUNDLE', `a=group:BUNDLE ${'1 '.repeat(size / 2)}`)],
    [
      'one long m-line',
      (size) => FULL.replace('m=audio 9 UDP/TLS/RTP/SAVPF', `m=audio 9 UDP/TLS/RTP/SAVPF ${'96 '.repeat(size / 3)}`),
    ],
    ['one long ssrc-group', (size) => `${FULL}a=ssrc-group:FID ${'1 '.repeat(size / 2)}\r\n`],
    ['one long fingerprint', (size) => `${FULL}a=fingerprint:sha-256 ${'AA:'.repeat(size / 3)}\r\n`],
    ['one long ufrag', (size) => `${FULL}a=ice-ufrag:${'a'.repeat(size)}\r\n`],
    ['one long imageattr', (size) => `${FULL}a=imageattr:* send ${'[x=1] '.repeat(size / 6)}!\r\n`],
    ['one long simulcast', (size) => `${FULL}a=simulcast:send ${'1,~2;'.repeat(size / 5)}!\r\n`],
    ['one long origin', (size) => FULL.replace('o=-', `o=${'- '.repeat(size / 2)}`)],
    ['many fmtp', (size) => FULL + 'a=fmtp:96 a=b;c=d;e=f\r\n'.repeat(Math.min(1600, size / 25))],
    ['many rtpmap', (size) => FULL + 'a=rtpmap:96 VP8/90000\r\n'.repeat(Math.min(1600, size / 25))],
    ['many extmap', (size) => FULL + 'a=extmap:3 urn:x:y:z\r\n'.repeat(Math.min(1600, size / 25))],
    ['many ssrc', (size) => FULL + 'a=ssrc:1 cname:x\r\n'.repeat(Math.min(1600, size / 25))],
    ['many unknown', (size) => FULL + 'a=unknown-one:1\r\n'.repeat(Math.min(1600, size / 25))],
  ];
  const room = SDP_LIMITS.bytes - FULL.length - 200;
  for (const [name, make] of fillers) {
    test(`S2, S3: with ${name} takes under 50 ms, and linear time`, (t) => {
      const size = Math.floor(room / 60) * 60;
      const large = make(size);
      assert.ok(large.length <= SDP_LIMITS.bytes);
      exercise(large);
      return shownOnce(t, async () => {
        const whole = quickest(() => parseDescription(large), 7);
        limit(whole < 50, `${whole.toFixed(1)} ms`);
        const half = quickest(() => parseDescription(make(size / 2)), 7);
        // Below a millisecond the clock and the fixed part of the work decide, not the text.
        limit(whole < 1 || whole / half < 3, `${half.toFixed(2)} ms for half, ${whole.toFixed(2)} ms for the whole`);
      });
    });
  }
});
