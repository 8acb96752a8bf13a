/** Descriptions of hostile clients, through everything that a description can lead to. */
import assert from 'node:assert/strict';
import { parseDescription } from '../../../src/sdp/parse.js';
import { planPublisher, writePublisherAnswer } from '../../../src/sdp/publisher.js';
import { planSubscriber, readSubscriberAnswer, writeSubscriberOffer } from '../../../src/sdp/subscriber.js';
import type { Random } from '../../support/random.js';
import { clientOffers, type LineDirection, type LineName } from '../../support/sdp-corpus.js';
import { frame, local, sections, settings } from '../../support/sdp-meaning.js';
import { defineTarget, jsonLines } from './target.js';

const SSRCS = { audio: 11, video: 22, videoRtx: 33 };
const CLIENTS = Object.values(clientOffers);
const LINES: LineName[][] = [['audio', 'video', 'data'], ['data'], ['data', 'audio'], ['video'], ['audio', 'video']];
const DIRECTIONS: LineDirection[] = ['sendrecv', 'sendrecv', 'sendonly', 'recvonly', 'inactive'];

const TEXTS = [
  ...['__proto__', 'constructor', '%s%n%x', '', '0', '-1', '1e999', '4294967296', 'NaN', ' ', ':', ';=;', '\r', '\0'],
  ...['\n', '\u2028', '\ud800', '😀', '111', '96', '127', '65536', 'apt=', 'urn:', '1/', '*', 'a'.repeat(300)],
];
const STARTS = [
  ...['m=audio 9 ', 'm=video 0 ', 'm=application 9 UDP/DTLS/SCTP ', 'a=mid:', 'a=rtpmap:', 'a=fmtp:', 'a=rtcp-fb:'],
  ...['a=extmap:', 'a=group:BUNDLE ', 'a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:', 'a=setup:', 'a=ssrc:'],
  ...[
    'a=ssrc-group:FID ',
    'a=sctp-port:',
    'a=sctpmap:',
    'a=max-message-size:',
    'a=candidate:',
    'o=',
    'c=IN ',
    'v=',
    '',
  ],
];

function hostileText(random: Random): string {
  if (!random.once(3)) return random.pick(TEXTS);
  const span = random.pick([128, 256, 65536]);
  return Array.from({ length: random.below(40) }, () => String.fromCharCode(random.below(span))).join('');
}

/** A client's offer with lines of it removed, doubled, exchanged, replaced by hostile ones, cut, or changed in a character. */
export function mutatedOffer(random: Random): string[] {
  const client = random.pick(CLIENTS);
  const setup = random.pick(['actpass', 'active', 'passive']);
  const offer = client({ lines: random.pick(LINES), direction: random.pick(DIRECTIONS), setup });
  const lines = offer.split(/(?<=\n)/);
  for (let i = random.below(7); i > 0; i--) {
    const at = random.below(lines.length);
    const present = lines[at] ?? '';
    const hostile = `${random.pick(STARTS)}${hostileText(random)}${random.once(20) ? '\n' : '\r\n'}`;
    const middle = random.below(present.length + 1);
    const changes: (() => unknown)[] = [
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, present),
      () => lines.splice(at, 0, hostile),
      () => lines.splice(at, 1, hostile),
      () =>
        lines.splice(at, 1, present.slice(0, middle) + hostileText(random) + present.slice(middle + random.below(4))),
      () => lines.splice(at, 1, `${present.slice(0, middle)}\r\n`),
      () => lines.splice(random.below(lines.length), 1, present),
    ];
    random.pick(changes)();
  }
  return lines;
}

/** The mid and medium of each m-line. */
function outline(sdp: string): string[] {
  return sections(sdp)
    .slice(1)
    .map((lines) => {
      const mid = lines.find((line) => line.startsWith('a=mid:')) ?? '';
      return `${lines[0]?.split(' ', 1)[0]} ${mid}`;
    });
}

/** Nothing of a client's gets into a description of ours but checked words. */
function assertPlain(sdp: string): void {
  assert.match(sdp, /^(?:[\x20-\x24\x26-\x7e]|\r\n)*$/);
}

/** Everything that a description of a client can lead to. @throws if one step contradicts another */
export function exercise(sdp: string): boolean {
  const parsed = parseDescription(sdp);
  if (!parsed.ok) {
    assert.equal(parsed.code, 465);
    assert.ok(parsed.reason.length > 0 && parsed.reason.length < 300);
    return false;
  }
  const plan = planPublisher(parsed.description, settings);
  const answer = writePublisherAnswer(plan, local, frame);
  assertPlain(answer);
  const back = parseDescription(answer);
  assert.ok(back.ok || plan.lines.every((line) => line.use === 'none'), 'the answer is not a description');
  assert.deepEqual(
    outline(answer),
    parsed.description.lines.map(({ media, mid }) => `m=${media} ${mid && `a=mid:${mid}`}`),
  );
  const subscriber = planSubscriber(plan, SSRCS, { rtx: true }, settings);
  const offered = writeSubscriberOffer(subscriber, local, frame);
  assertPlain(offered);
  assert.ok(parseDescription(offered).ok);
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

export const sdpTarget = defineTarget<string>({
  ...jsonLines<string>(),
  name: 'sdp',
  unit: 'SDPs',
  promise:
    'Any text is refused with 465 and a short reason, or answered line by line with its own mids, in checked words only, and leads to a good offer for subscribers.',
  make: (random) =>
    random.once(10)
      ? [
          'v=0\r\no=-\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n',
          ...Array.from({ length: 9 }, () => hostileText(random)),
        ]
      : mutatedOffer(random),
  run(parts) {
    exercise(parts.join(''));
    return 1;
  },
});
