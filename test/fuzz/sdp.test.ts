import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SDP_LIMITS } from '../../src/sdp/intake.js';
import { parseDescription } from '../../src/sdp/parse.js';
import { planPublisher, writePublisherAnswer } from '../../src/sdp/publisher.js';
import { planSubscriber, readSubscriberAnswer, writeSubscriberOffer } from '../../src/sdp/subscriber.js';
import { limit, shownOnce } from '../support/attempts.js';
import { quickest } from '../support/quickest.js';
import { chromeOffer, clientOffers, type LineDirection, type LineName } from '../support/sdp-corpus.js';
import { frame, local, sections, settings } from '../support/sdp-meaning.js';

const SEED = 20261122;
const SSRCS = { audio: 11, video: 22, videoRtx: 33 };
const FULL = chromeOffer({ lines: ['data', 'audio', 'video'] });

const offerOfSomeClient = fc
  .record({
    client: fc.constantFrom(...Object.values(clientOffers)),
    lines: fc.uniqueArray(fc.constantFrom<LineName>('audio', 'video', 'data'), { minLength: 1 }),
    direction: fc.constantFrom<LineDirection>('sendrecv', 'sendonly', 'recvonly', 'inactive'),
    setup: fc.constantFrom('actpass', 'active', 'passive'),
  })
  .map(({ client, ...options }) => client(options));

const hostileText = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    '%s%n%x',
    '',
    '0',
    '-1',
    '1e999',
    '4294967296',
    'NaN',
    ' ',
    ':',
    ';=;',
    '\r',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const hostileLine = fc.oneof(
  hostileText,
  fc
    .tuple(
      fc.constantFrom(
        'm=audio 9 ',
        'm=video 0 ',
        'a=mid:',
        'a=rtpmap:',
        'a=fmtp:',
        'a=rtcp-fb:',
        'a=extmap:',
        'a=group:BUNDLE ',
      ),
      hostileText,
    )
    .map(([name, value]) => name + value),
  fc
    .tuple(
      fc.constantFrom('a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:', 'a=setup:', 'a=ssrc:', 'a=sctp-port:'),
      hostileText,
    )
    .map(([name, value]) => name + value),
);

/** A client's offer with lines of it removed, doubled, exchanged or replaced by hostile ones, or bytes changed. */
const mutatedOffer = fc
  .tuple(
    offerOfSomeClient,
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        how: fc.constantFrom('remove', 'double', 'exchange', 'replace', 'append', 'cut'),
        line: hostileLine,
      }),
      { maxLength: 6 },
    ),
  )
  .map(([offer, changes]) => {
    const lines = offer.split('\r\n');
    for (const { at, how, line } of changes) {
      const index = Math.floor(at * lines.length);
      const current = lines[index] ?? '';
      if (how === 'remove') lines.splice(index, 1);
      else if (how === 'double') lines.splice(index, 0, current);
      else if (how === 'replace') lines[index] = line;
      else if (how === 'append') lines[index] = current + line;
      else if (how === 'cut') lines[index] = current.slice(0, Math.floor(current.length / 2));
      else [lines[index], lines[0]] = [lines[0] ?? '', current];
    }
    return lines.join('\r\n');
  });

/** The mid and medium of each m-line. */
function outline(sdp: string): string[] {
  return sections(sdp)
    .slice(1)
    .map((lines) => {
      const mid = lines.find((line) => line.startsWith('a=mid:')) ?? '';
      return `${lines[0]?.split(' ', 1)[0]} ${mid}`;
    });
}

/** Everything that a description of a client can lead to; throws if one step contradicts another. */
function exercise(sdp: string): boolean {
  const parsed = parseDescription(sdp);
  if (!parsed.ok) {
    assert.equal(parsed.code, 465);
    assert.ok(parsed.reason.length > 0 && parsed.reason.length < 300);
    return false;
  }
  const plan = planPublisher(parsed.description, settings);
  const answer = writePublisherAnswer(plan, local, frame);
  const back = parseDescription(answer);
  assert.ok(back.ok || plan.lines.every((line) => line.use === 'none'), 'the answer is not a description');
  assert.deepEqual(
    outline(answer),
    parsed.description.lines.map(({ media, mid }) => `m=${media} ${mid && `a=mid:${mid}`}`),
  );
  const subscriber = planSubscriber(plan, SSRCS, { rtx: true }, settings);
  const offered = writeSubscriberOffer(subscriber, local, frame);
  const reread = parseDescription(offered);
  assert.ok(reread.ok);
  assert.deepEqual(outline(offered), ['m=audio a=mid:a', 'm=video a=mid:v', 'm=application a=mid:d']);
  readSubscriberAnswer(parsed.description, subscriber);
  for (const track of [...plan.tracks, ...subscriber.tracks]) {
    for (const payloadType of [track.payloadType, track.rtxPayloadType ?? 0]) {
      assert.ok(payloadType >= 0 && payloadType <= 127 && (payloadType < 64 || payloadType > 95));
    }
    for (const id of Object.values(track.extensions)) assert.ok(id >= 1 && id <= 255);
  }
  return true;
}

describe('SDP of hostile clients', () => {
  test('S2: of every client form is accepted, answered in order with its mids, and leads to a good offer', () => {
    fc.assert(
      fc.property(offerOfSomeClient, (offer) => exercise(offer)),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('S2: never throws when mutated: it is refused with 465, or everything made of it is well formed', () => {
    let accepted = 0;
    fc.assert(
      fc.property(mutatedOffer, (offer) => {
        if (exercise(offer)) accepted++;
      }),
      { seed: SEED, numRuns: 3000 },
    );
    assert.ok(accepted > 300, `only ${accepted} of the mutated offers got past the parser`);
  });

  test('never throws when it is any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.boolean(), (text, started) => {
        exercise(started ? `v=0\r\no=-\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n${text}` : text);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test('puts nothing of a client into an answer but checked words', () => {
    const words = /^[\x20-\x7e]*$/;
    fc.assert(
      fc.property(mutatedOffer, (offer) => {
        const parsed = parseDescription(offer);
        if (!parsed.ok) return;
        for (const line of writePublisherAnswer(planPublisher(parsed.description, settings), local, frame).split(
          '\r\n',
        )) {
          assert.match(line, words);
          assert.ok(!line.includes('%'));
        }
      }),
      { seed: SEED + 1, numRuns: 1000 },
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
