import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planPublisher } from '../../src/sdp/publisher.js';
import { planSubscriber, readSubscriberAnswer, samePlan, writeSubscriberOffer } from '../../src/sdp/subscriber.js';
import {
  chromeOffer,
  chromiumWithoutH264Offer,
  FINGERPRINT,
  firefoxOffer,
  nodeDatachannelOffer,
  PWD,
  sdp,
  UFRAG,
} from '../support/sdp-corpus.js';
import { description, frame, gist, local, sections, settings } from '../support/sdp-meaning.js';

const SSRCS = { audio: 11, video: 22, videoRtx: 33 };

function plan(publisherOffer: string | null, { rtx = true, videoCodecs = settings.videoCodecs } = {}) {
  const own = { ...settings, videoCodecs };
  return planSubscriber(
    publisherOffer === null ? null : planPublisher(description(publisherOffer), own),
    SSRCS,
    { rtx },
    own,
  );
}

function offer(publisherOffer: string | null, options = {}): string {
  return writeSubscriberOffer(plan(publisherOffer, options), local, frame);
}

function mediaLines(text: string): string[] {
  return sections(text)
    .slice(1)
    .map(([line = '']) => line);
}

/** An answer as a browser makes it of an offer of ours. */
function answerTo(
  text: string,
  { refuse = [] as string[], rtx = true, setup = 'active' as string | null } = {},
): string {
  const lines = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE a v d', 'a=msid-semantic: WMS'];
  for (const section of sections(text).slice(1)) {
    const mid = section.find((line) => line.startsWith('a=mid:'))?.slice(6) ?? '';
    const [media = '', , protocol, ...formats] = (section[0] ?? '').split(' ');
    if (refuse.includes(mid)) {
      lines.push(`${media} 0 ${protocol} 0`, 'c=IN IP4 0.0.0.0', 'a=inactive', `a=mid:${mid}`);
      continue;
    }
    const kept = rtx ? formats : formats.slice(0, 1);
    lines.push(
      `${media} 9 ${protocol} ${kept.join(' ')}`,
      'c=IN IP4 0.0.0.0',
      `a=ice-ufrag:${UFRAG}`,
      `a=ice-pwd:${PWD}`,
    );
    lines.push(`a=fingerprint:sha-256 ${FINGERPRINT}`, ...(setup ? [`a=setup:${setup}`] : []), `a=mid:${mid}`);
    if (media === 'm=application') lines.push('a=sctp-port:5000', 'a=max-message-size:262144');
    else lines.push('a=recvonly', 'a=rtcp-mux');
    lines.push(
      ...section.filter((line) =>
        kept.some((one) => line.startsWith(`a=rtpmap:${one} `) || line.startsWith(`a=fmtp:${one} `)),
      ),
    );
  }
  return sdp(lines);
}

describe('The offer to a subscriber', () => {
  test("has audio, video and data in that order, with the publisher's codecs and payload types, as the reference server's", () => {
    const [session, audio, video, data] = gist(offer(chromeOffer({ lines: ['data', 'video', 'audio'] })));
    assert.deepEqual(session, ['a=group:BUNDLE a v d', 'a=msid-semantic: WMS janus']);
    const without = (lines: string[] | undefined) => lines?.filter((line) => !line.startsWith('a=extmap'));
    assert.deepEqual(without(audio), [
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=fmtp:111 stereo=0; sprop-stereo=0; usedtx=1;',
      'a=mid:a',
      'a=rtcp-fb:111 transport-cc',
      'a=rtpmap:111 opus/48000/2',
      'a=sendonly',
      'a=setup:actpass',
    ]);
    assert.deepEqual(without(video), [
      'm=video 9 UDP/TLS/RTP/SAVPF 108 109',
      'a=fmtp:108 profile-level-id=42e01f;packetization-mode=1',
      'a=fmtp:109 apt=108',
      'a=mid:v',
      'a=rtcp-fb:108 ccm fir',
      'a=rtcp-fb:108 goog-remb',
      'a=rtcp-fb:108 nack',
      'a=rtcp-fb:108 nack pli',
      'a=rtcp-fb:108 transport-cc',
      'a=rtpmap:108 H264/90000',
      'a=rtpmap:109 rtx/90000',
      'a=sendonly',
      'a=setup:actpass',
    ]);
    assert.deepEqual(data, [
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'a=max-message-size:262144',
      'a=mid:d',
      'a=sctp-port:5000',
      'a=sendrecv',
      'a=setup:actpass',
    ]);
  });

  test('for a publisher that has negotiated nothing has the defaults of the reference server', () => {
    for (const publisher of [null, chromeOffer({ lines: ['data'] })]) {
      const [, audio, video] = gist(offer(publisher));
      assert.equal(audio?.[0], 'm=audio 9 UDP/TLS/RTP/SAVPF 100');
      assert.ok(audio?.includes('a=rtpmap:100 opus/48000/2') && !audio.some((line) => line.startsWith('a=fmtp')));
      assert.equal(video?.[0], 'm=video 9 UDP/TLS/RTP/SAVPF 100 101');
      assert.ok(video?.includes('a=fmtp:100 profile-level-id=42e01f;packetization-mode=1'));
    }
    const [, audio, video] = mediaLinesOf(chromeOffer({ lines: ['audio'] }));
    assert.match(`${audio} ${video}`, /^m=audio 9 \S+ 111 m=video 9 \S+ 100 101$/);
    assert.match(offer(null, { videoCodecs: ['vp8', 'h264'] }), /a=rtpmap:100 VP8\/90000/);
  });

  test("keeps a default clear of the publisher's payload types, and retransmissions of both", () => {
    const video100 = nodeDatachannelOffer({ lines: ['video'] }).replaceAll(/\b102\b/g, '100');
    assert.deepEqual(mediaLinesOf(video100).slice(1, 3), [
      'm=audio 9 UDP/TLS/RTP/SAVPF 101',
      'm=video 9 UDP/TLS/RTP/SAVPF 100 102',
    ]);
    const audio100 = nodeDatachannelOffer({ lines: ['audio'] }).replaceAll(/\b111\b/g, '100');
    assert.deepEqual(mediaLinesOf(audio100).slice(1, 3), [
      'm=audio 9 UDP/TLS/RTP/SAVPF 100',
      'm=video 9 UDP/TLS/RTP/SAVPF 101 102',
    ]);
    const last = nodeDatachannelOffer({ lines: ['audio', 'video'] })
      .replaceAll(/\b102\b/g, '127')
      .replaceAll(/\b111\b/g, '96');
    assert.equal(mediaLinesOf(last)[2], 'm=video 9 UDP/TLS/RTP/SAVPF 127 97');
    const low = nodeDatachannelOffer({ lines: ['video'] }).replaceAll(/\b102\b/g, '63');
    assert.equal(mediaLinesOf(low)[2], 'm=video 9 UDP/TLS/RTP/SAVPF 63 96');
  });

  test('uses payload type 107 for H264 42e01f only, because naf-janus-adapter rewrites it to that', () => {
    const to107 = (text: string) => text.replaceAll(/\b102\b/g, '107');
    const h264 = to107(nodeDatachannelOffer({ lines: ['video'] }));
    assert.equal(mediaLinesOf(h264)[2], 'm=video 9 UDP/TLS/RTP/SAVPF 107 108');
    assert.equal(mediaLinesOf(h264.replace('42e01f', '42001f'))[2], 'm=video 9 UDP/TLS/RTP/SAVPF 100 101');
    assert.equal(mediaLinesOf(h264.replace('H264', 'VP8'))[2], 'm=video 9 UDP/TLS/RTP/SAVPF 100 101');
    const opus = nodeDatachannelOffer({ lines: ['audio'] }).replaceAll(/\b111\b/g, '107');
    assert.equal(mediaLinesOf(opus)[1], 'm=audio 9 UDP/TLS/RTP/SAVPF 100');
  });

  test('tells the SSRCs of the tracks, the retransmissions in an FID group', () => {
    const text = offer(chromeOffer({ lines: ['audio', 'video'] }));
    const [, audio, video] = sections(text);
    assert.ok(audio?.includes('a=ssrc:11 cname:janus') && audio.includes('a=msid:janus janusa0'));
    assert.ok(video?.includes('a=ssrc-group:FID 22 33') && video.includes('a=ssrc:33 cname:janus'));
    const { tracks } = plan(chromeOffer({ lines: ['audio', 'video'] }));
    assert.deepEqual(
      tracks.map(({ kind, payloadType, rtxPayloadType, ssrc, rtxSsrc }) => [
        kind,
        payloadType,
        rtxPayloadType,
        ssrc,
        rtxSsrc,
      ]),
      [
        ['audio', 111, null, 11, null],
        ['video', 108, 109, 22, 33],
      ],
    );
  });

  test('has no retransmissions when the client takes none', () => {
    const text = offer(chromeOffer({ lines: ['video'] }), { rtx: false });
    assert.equal(mediaLines(text)[1], 'm=video 9 UDP/TLS/RTP/SAVPF 108');
    assert.ok(!/rtx|FID|ssrc:33/.test(text));
  });

  test("has our own extension ids whatever the publisher's are, and the tracks say the same", () => {
    for (const publisher of [
      null,
      chromeOffer({ lines: ['audio', 'video'] }),
      firefoxOffer({ lines: ['audio', 'video'] }),
    ]) {
      const [, audio, video] = gist(offer(publisher));
      const ids = (lines: string[] | undefined) => lines?.filter((line) => line.startsWith('a=extmap:'));
      assert.deepEqual(ids(audio), [
        'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
        'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      ]);
      assert.deepEqual(ids(video), [
        'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
        'a=extmap:5 urn:3gpp:video-orientation',
        'a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
      ]);
      assert.deepEqual(
        plan(publisher).tracks.map(({ extensions }) => extensions),
        [
          { audioLevel: 1, absSendTime: 2 },
          { absSendTime: 2, videoOrientation: 5, playoutDelay: 6 },
        ],
      );
    }
  });

  test('is the same plan until something changes that the subscriber must know', () => {
    const audio = plan(chromeOffer({ lines: ['data', 'audio'] }));
    const both = plan(chromeOffer({ lines: ['data', 'audio', 'video'] }));
    assert.ok(samePlan(both, plan(chromeOffer({ lines: ['data', 'audio', 'video'], direction: 'inactive' }))));
    assert.ok(samePlan(both, plan(chromeOffer({ lines: ['data', 'audio', 'video'] }), { rtx: false })));
    assert.ok(!samePlan(audio, both));
    assert.ok(!samePlan(both, plan(firefoxOffer({ lines: ['audio', 'video'] }))));
    assert.ok(!samePlan(both, plan(chromiumWithoutH264Offer({ lines: ['audio', 'video'] }))));
  });
});

describe('The answer of a subscriber', () => {
  const offered = plan(chromeOffer({ lines: ['audio', 'video'] }));
  const text = writeSubscriberOffer(offered, local, frame);
  const read = (answer: string) => readSubscriberAnswer(description(answer), offered);

  test('takes both kinds, data and retransmissions', () => {
    assert.deepEqual(read(answerTo(text)), {
      ok: true,
      transport: {
        iceUfrag: UFRAG,
        icePwd: PWD,
        fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
        setup: 'active',
      },
      kinds: ['audio', 'video'],
      data: true,
      rtx: true,
    });
  });

  test('may refuse a kind, data or retransmissions', () => {
    const essence = (answer: string) => {
      const result = read(answer);
      return result.ok ? [result.kinds, result.data, result.rtx] : result.reason;
    };
    assert.deepEqual(essence(answerTo(text, { refuse: ['v'] })), [['audio'], true, false]);
    assert.deepEqual(essence(answerTo(text, { refuse: ['a'] })), [['video'], true, true]);
    assert.deepEqual(essence(answerTo(text, { refuse: ['d'] })), [['audio', 'video'], false, true]);
    assert.deepEqual(essence(answerTo(text, { rtx: false })), [['audio', 'video'], true, false]);
    assert.deepEqual(essence(answerTo(text).replace('a=recvonly', 'a=inactive')), [['video'], true, true]);
  });

  test('of naf-janus-adapter without H264 has no video line at all', () => {
    const cut = answerTo(text)
      .replace(/m=video[\s\S]*(?=m=application)/, '')
      .replace('BUNDLE a v d', 'BUNDLE a d');
    const result = read(cut);
    assert.ok(result.ok);
    assert.deepEqual([result.kinds, result.data], [['audio'], true]);
  });

  test('of an older offer takes what still agrees', () => {
    const before = answerTo(writeSubscriberOffer(plan(chromeOffer({ lines: ['audio'] })), local, frame));
    const result = read(before);
    assert.ok(result.ok);
    assert.deepEqual(result.kinds, ['audio']);
  });

  test('is active where it leaves the DTLS role open', () => {
    for (const [setup, role] of [
      [null, 'active'],
      ['actpass', 'active'],
      ['active', 'active'],
      ['passive', 'passive'],
    ] as const) {
      const result = read(answerTo(text, { setup }));
      assert.equal(result.ok && result.transport.setup, role);
    }
  });

  test('with lines that were not offered is refused', () => {
    const foreign = read(answerTo(text).replace('a=mid:v', 'a=mid:video'));
    assert.deepEqual(foreign, {
      ok: false,
      code: 465,
      reason: "Error processing SDP (the answer's video line with mid video was not offered)",
    });
    const text2 = read(answerTo(text).replace('m=video', 'm=text'));
    assert.ok(!text2.ok && text2.code === 465);
  });

  test('without mids is read by kind', () => {
    const result = read(
      answerTo(text)
        .replaceAll(/a=mid:.*\r\n/g, '')
        .replace(/a=group.*\r\n/, ''),
    );
    assert.ok(result.ok);
    assert.deepEqual([result.kinds, result.data, result.rtx], [['audio', 'video'], true, true]);
  });
});

test('without data channels for subscribers the application line stays in its place, unused and outside of the bundle', () => {
  const own = { ...settings, subscriberData: false };
  const without = planSubscriber(null, SSRCS, { rtx: true }, own);
  const text = writeSubscriberOffer(without, local, frame);
  assert.deepEqual(
    mediaLines(text).map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['m=audio 9', 'm=video 9', 'm=application 0'],
  );
  assert.match(text, /^a=group:BUNDLE a v\r$/m);
  const taken = readSubscriberAnswer(description(answerTo(text)), without);
  assert.equal(taken.ok && taken.data, false, 'a client that takes the line all the same gets no data channels');
  assert.deepEqual(taken.ok && taken.kinds, ['audio', 'video']);
});

function mediaLinesOf(publisherOffer: string): string[] {
  return ['', ...mediaLines(offer(publisherOffer))];
}
