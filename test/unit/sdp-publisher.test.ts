import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { midOf, planPublisher, writePublisherAnswer } from '../../src/sdp/publisher.js';
import {
  chromeOffer,
  chromiumWithoutH264Offer,
  firefoxOffer,
  nodeDatachannelOffer,
  safariOffer,
  UFRAG,
} from '../support/sdp-corpus.js';
import { description, frame, gist, local, sections, settings } from '../support/sdp-meaning.js';

function plan(offer: string, videoCodecs = settings.videoCodecs) {
  return planPublisher(description(offer), { ...settings, videoCodecs });
}

function answer(offer: string, videoCodecs = settings.videoCodecs): string {
  return writePublisherAnswer(plan(offer, videoCodecs), local, frame);
}

/** What the reference server answers, but for header extensions and a=max-message-size, which it doesn't know. */
const OPUS = (payloadType: number) => [
  `a=fmtp:${payloadType} stereo=0; sprop-stereo=0; usedtx=1;`,
  `a=rtpmap:${payloadType} opus/48000/2`,
];

const VIDEO = (payloadType: number, codec: string) => [
  `a=rtcp-fb:${payloadType} ccm fir`,
  `a=rtcp-fb:${payloadType} goog-remb`,
  `a=rtcp-fb:${payloadType} nack`,
  `a=rtcp-fb:${payloadType} nack pli`,
  `a=rtcp-fb:${payloadType} transport-cc`,
  `a=rtpmap:${payloadType} ${codec}/90000`,
];

const DATA = ['a=max-message-size:262144', 'a=sctp-port:5000', 'a=sendrecv', 'a=setup:active'];

function expectLine(actual: string[] | undefined, media: string, attributes: string[]): void {
  const [line, ...rest] = actual ?? [];
  assert.equal(line, media);
  assert.deepEqual(rest, [...attributes].sort());
}

describe('The answer to a publisher', () => {
  test('takes Opus and H264 42e01f of Chrome, its retransmissions, known extensions and the data line', () => {
    const [session, audio, video, data] = gist(answer(chromeOffer({ lines: ['audio', 'video', 'data'] })));
    assert.deepEqual(session, ['a=group:BUNDLE 0 1 2', 'a=msid-semantic: WMS janus']);
    expectLine(audio, 'm=audio 9 UDP/TLS/RTP/SAVPF 111', [
      ...OPUS(111),
      'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=mid:0',
      'a=recvonly',
      'a=setup:active',
    ]);
    expectLine(video, 'm=video 9 UDP/TLS/RTP/SAVPF 108 109', [
      ...VIDEO(108, 'H264'),
      'a=fmtp:108 profile-level-id=42e01f;packetization-mode=1',
      'a=rtpmap:109 rtx/90000',
      'a=fmtp:109 apt=108',
      'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
      'a=extmap:13 urn:3gpp:video-orientation',
      'a=mid:1',
      'a=recvonly',
      'a=setup:active',
    ]);
    expectLine(data, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', [...DATA, 'a=mid:2']);
  });

  test('is in the order of the offer: naf-janus-adapter offers data first and appends media', () => {
    const first = answer(chromeOffer({ lines: ['data'] }));
    assert.deepEqual(gist(first)[0], ['a=group:BUNDLE 0', 'a=msid-semantic: WMS janus']);
    const [, data, audio, video] = gist(answer(chromeOffer({ lines: ['data', 'audio', 'video'] })));
    assert.match(data?.[0] ?? '', /^m=application/);
    assert.match(audio?.[0] ?? '', /^m=audio 9/);
    assert.match(video?.[0] ?? '', /^m=video 9/);
  });

  test('says what the tracks are', () => {
    const { tracks, data, setup } = plan(chromeOffer({ lines: ['data', 'audio', 'video'] }));
    assert.deepEqual(tracks, [
      {
        kind: 'audio',
        codec: 'opus',
        payloadType: 111,
        rtxPayloadType: null,
        clockRate: 48000,
        extensions: { audioLevel: 1, absSendTime: 2, mid: 4 },
        ssrc: 3109473544,
      },
      {
        kind: 'video',
        codec: 'h264',
        payloadType: 108,
        rtxPayloadType: 109,
        clockRate: 90000,
        extensions: { absSendTime: 2, transportCc: 3, mid: 4, videoOrientation: 13, playoutDelay: 5 },
        ssrc: 3473273004,
      },
    ]);
    assert.equal(data, true);
    assert.equal(setup, 'active');
  });

  test("takes Firefox' and Safari's H264 of mode 1, node-datachannel's without retransmissions", () => {
    const videoOf = (offer: string) => plan(offer).tracks.find(({ kind }) => kind === 'video');
    assert.equal(videoOf(firefoxOffer({ lines: ['audio', 'video'] }))?.payloadType, 126);
    assert.equal(videoOf(firefoxOffer({ lines: ['audio', 'video'] }))?.rtxPayloadType, 127);
    assert.equal(videoOf(safariOffer({ lines: ['audio', 'video'] }))?.payloadType, 98);
    assert.equal(videoOf(nodeDatachannelOffer({ lines: ['audio', 'video'] }))?.rtxPayloadType, null);
    const [, audio] = gist(answer(firefoxOffer({ lines: ['audio'] })));
    assert.equal(audio?.[0], 'm=audio 9 UDP/TLS/RTP/SAVPF 109');
    assert.ok(audio?.includes('a=fmtp:109 stereo=0; sprop-stereo=0; usedtx=1;'));
  });

  test('falls back on 42001f, and on other codecs where the client has no H264, in the configured order', () => {
    const only42001f = chromeOffer({ lines: ['video'] }).replaceAll(
      'profile-level-id=42e01f',
      'profile-level-id=640c1f',
    );
    const [, video] = gist(answer(only42001f));
    assert.equal(video?.[0], 'm=video 9 UDP/TLS/RTP/SAVPF 102 103');
    assert.ok(video?.includes('a=fmtp:102 profile-level-id=42001f;packetization-mode=1'));

    const without = chromiumWithoutH264Offer({ lines: ['video'] });
    expectLine(
      gist(answer(without))[1]?.filter((line) => !line.startsWith('a=extmap')),
      'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
      [...VIDEO(96, 'VP8'), 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96', 'a=mid:0', 'a=recvonly', 'a=setup:active'],
    );
    const vp9 = gist(answer(without, ['vp9', 'vp8']))[1];
    assert.equal(vp9?.[0], 'm=video 9 UDP/TLS/RTP/SAVPF 98 99');
    assert.ok(vp9?.includes('a=fmtp:98 profile-id=0'));
    const av1 = gist(answer(without, ['av1']))[1];
    assert.equal(av1?.[0], 'm=video 9 UDP/TLS/RTP/SAVPF 45 46');
    assert.ok(av1?.includes('a=fmtp:45 level-idx=5;profile=0;tier=0'));
  });

  test('rejects video of none of the configured codecs, of other H264 forms, or of H264 without parameters', () => {
    const rejected = ['m=video 0 UDP/TLS/RTP/SAVPF 0', 'a=inactive', 'a=mid:0'];
    const offers = [
      answer(chromiumWithoutH264Offer({ lines: ['video'] }), ['h264']),
      answer(
        nodeDatachannelOffer({ lines: ['video'] })
          .replace('a=mid:video', 'a=mid:0')
          .replace('42e01f', '640c1f'),
      ),
      answer(
        nodeDatachannelOffer({ lines: ['video'] })
          .replace('a=mid:video', 'a=mid:0')
          .replace('mode=1', 'mode=0'),
      ),
      answer(
        nodeDatachannelOffer({ lines: ['video'] })
          .replace('a=mid:video', 'a=mid:0')
          .replace(/a=fmtp.*\r\n/, ''),
      ),
    ];
    for (const text of offers) {
      assert.deepEqual(gist(text)[1], rejected);
      assert.equal(gist(text)[0]?.[0], 'a=group:BUNDLE');
    }
    const pcmu = chromeOffer({ lines: ['audio', 'data'] }).replaceAll('opus/48000/2', 'PCMA/8000');
    const [session, audio, data] = gist(answer(pcmu));
    assert.equal(session?.[0], 'a=group:BUNDLE 1');
    assert.deepEqual(audio, ['m=audio 0 UDP/TLS/RTP/SAVPF 0', 'a=inactive', 'a=mid:0']);
    assert.match(data?.[0] ?? '', /^m=application 9/);
  });

  test('is inactive on lines on which the client does not send, and they are no tracks', () => {
    for (const direction of ['recvonly', 'inactive'] as const) {
      const offer = chromeOffer({ lines: ['audio', 'video'], direction });
      assert.deepEqual(plan(offer).tracks, []);
      for (const line of gist(answer(offer)).slice(1)) assert.ok(line.includes('a=inactive'));
      assert.match(gist(answer(offer))[2]?.[0] ?? '', /^m=video 9 UDP\/TLS\/RTP\/SAVPF 108 109$/);
      assert.equal(midOf(plan(offer), 'audio'), '0');
    }
    for (const direction of ['sendrecv', 'sendonly'] as const) {
      for (const line of gist(answer(chromeOffer({ lines: ['audio'], direction }))).slice(1)) {
        assert.ok(line.includes('a=recvonly'));
      }
    }
  });

  test('takes the first sending line of a kind and rejects the others', () => {
    const offer = chromeOffer({ lines: ['audio', 'audio', 'video', 'video', 'data', 'data'] });
    const uses = (text: string) => plan(text).lines.map((line) => line.use);
    assert.deepEqual(uses(offer), ['media', 'none', 'media', 'none', 'data', 'none']);
    assert.deepEqual(uses(offer.replace('a=sendrecv', 'a=inactive')), [
      'none',
      'media',
      'media',
      'none',
      'data',
      'none',
    ]);
    assert.deepEqual(gist(answer(offer)).at(-1), [
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
      'a=inactive',
      'a=mid:5',
    ]);
    assert.equal(gist(answer(offer))[0]?.[0], 'a=group:BUNDLE 0 2 4');
  });

  test('rejects media of unknown kinds and protocols, and lines outside the bundle', () => {
    const offer = chromeOffer({ lines: ['audio', 'video', 'data'] });
    const uses = (text: string) => plan(text).lines.map((line) => line.use);
    assert.deepEqual(uses(offer.replace('m=video 9', 'm=text 9')), ['media', 'none', 'data']);
    assert.match(answer(offer.replace('m=video 9', 'm=text 9')), /\r\nm=text 0 UDP\/TLS\/RTP\/SAVPF 0\r\n/);
    assert.deepEqual(uses(offer.replace('m=video 9 UDP/TLS/RTP/SAVPF', 'm=video 9 RTP/AVP')), [
      'media',
      'none',
      'data',
    ]);
    assert.deepEqual(uses(offer.replace('UDP/DTLS/SCTP', 'TCP/DTLS/SCTP')), ['media', 'media', 'none']);
    assert.deepEqual(uses(offer.replace('sctp-port:5000', 'sctp-port:5001')), ['media', 'media', 'none']);
    assert.deepEqual(uses(offer.replace('BUNDLE 0 1 2', 'BUNDLE 0 2')), ['media', 'none', 'data']);
  });

  test('has the old form of data channels where the offer has it', () => {
    const old = chromeOffer({ lines: ['data'] })
      .replace('UDP/DTLS/SCTP webrtc-datachannel', 'DTLS/SCTP 5000')
      .replace('a=sctp-port:5000', 'a=sctpmap:5000 webrtc-datachannel 1024');
    expectLine(gist(answer(old))[1], 'm=application 9 DTLS/SCTP 5000', [
      'a=mid:0',
      'a=sctpmap:5000 webrtc-datachannel 16',
      'a=sendrecv',
      'a=setup:active',
    ]);
  });

  test('takes the DTLS role that the offer leaves, or the one that the peer has already', () => {
    const setups = (setup: string) => answer(chromeOffer({ lines: ['audio'], setup })).match(/a=setup:\w+/g);
    assert.deepEqual(setups('actpass'), ['a=setup:active']);
    assert.deepEqual(setups('passive'), ['a=setup:active']);
    assert.deepEqual(setups('active'), ['a=setup:passive']);
    const decided = writePublisherAnswer(
      plan(chromeOffer({ lines: ['audio'] })),
      { ...local, setup: 'passive' },
      frame,
    );
    assert.match(decided, /a=setup:passive/);
  });

  test('has transport, candidates and addresses on each line in use, and no line without \\r\\n', () => {
    const text = answer(chromeOffer({ lines: ['audio', 'video', 'data'] }));
    assert.match(text, /^v=0\r\no=- 1234567890 7 IN IP4 192\.0\.2\.7\r\ns=-\r\nt=0 0\r\n/);
    for (const lines of sections(text).slice(1)) {
      for (const wanted of [
        'c=IN IP4 192.0.2.7',
        'a=ice-ufrag:srv1',
        'a=ice-pwd:serverserverserverserver',
        `a=fingerprint:sha-256 ${local.fingerprint.value}`,
        'a=candidate:1 1 udp 2130706431 192.0.2.7 51610 typ host',
        'a=candidate:2 1 udp 2130706175 2001:db8::7 51610 typ host',
        'a=end-of-candidates',
      ]) {
        assert.ok(lines.includes(wanted), wanted);
      }
    }
    assert.ok(!text.replaceAll('\r\n', '').includes('\n') && text.endsWith('\r\n'));
    assert.ok(!text.includes(UFRAG));
    const six = writePublisherAnswer(plan(chromeOffer({ lines: ['data'] })), local, {
      ...frame,
      address: '2001:db8::7',
    });
    assert.match(six, /\r\nc=IN IP6 2001:db8::7\r\n/);
  });

  test('names no mid and no group where the offer has none', () => {
    const offer = chromeOffer({ lines: ['audio'] })
      .replace('a=mid:0\r\n', '')
      .replace('a=group:BUNDLE 0\r\n', '');
    const text = answer(offer);
    assert.ok(!/a=mid|a=group/.test(text));
    assert.equal(midOf(plan(offer), 'audio'), null);
    assert.equal(plan(offer).tracks.length, 1);
  });

  test('knows the mid of each kind that it took', () => {
    const known = plan(chromeOffer({ lines: ['data', 'video'] }));
    assert.equal(midOf(known, 'video'), '1');
    assert.equal(midOf(known, 'audio'), null);
  });

  test('never takes a payload type that could be RTCP', () => {
    const offer = nodeDatachannelOffer({ lines: ['audio', 'video'] })
      .replaceAll(/\b111\b/g, '72')
      .replaceAll(/\b102\b/g, '95');
    assert.deepEqual(plan(offer).tracks, []);
  });
});
