/**
 * Offers as clients make them: Chrome, Firefox, Safari and node-datachannel, each in its own order of attributes, with
 * its own payload types. Credentials and fingerprints are made up.
 */

export const FINGERPRINT =
  '8A:14:0F:5C:77:D2:3B:91:E6:40:2D:C9:B8:6A:13:F7:05:9E:D4:28:71:AF:3C:60:92:EB:17:54:CD:8F:36:A0';

export const UFRAG = 'h4Sy';
export const PWD = 'BrfSIXV7Uhjt1G1z5kGNFcRe';

export type LineName = 'audio' | 'video' | 'data';
export type LineDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface OfferOptions {
  /** In the order of the m-lines. */
  lines: LineName[];
  direction?: LineDirection;
  setup?: string;
}

export function sdp(lines: string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}

interface VideoCodec {
  payloadType: number;
  rtx?: number;
  name: string;
  parameters?: string;
}

const CHROME_FEEDBACK = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'];
const FIREFOX_FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'];

const CHROME_VIDEO: VideoCodec[] = [
  { payloadType: 96, rtx: 97, name: 'VP8' },
  {
    payloadType: 102,
    rtx: 103,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f',
  },
  {
    payloadType: 104,
    rtx: 107,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f',
  },
  {
    payloadType: 108,
    rtx: 109,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  },
  {
    payloadType: 114,
    rtx: 115,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f',
  },
  {
    payloadType: 116,
    rtx: 117,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f',
  },
  { payloadType: 45, rtx: 46, name: 'AV1', parameters: 'level-idx=5;profile=0;tier=0' },
  { payloadType: 98, rtx: 99, name: 'VP9', parameters: 'profile-id=0' },
  { payloadType: 100, rtx: 101, name: 'VP9', parameters: 'profile-id=2' },
];

const SAFARI_VIDEO: VideoCodec[] = [
  {
    payloadType: 96,
    rtx: 97,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f',
  },
  {
    payloadType: 98,
    rtx: 99,
    name: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  },
  { payloadType: 100, rtx: 101, name: 'VP8' },
  { payloadType: 103, rtx: 104, name: 'VP9', parameters: 'profile-id=0' },
];

const FIREFOX_VIDEO: VideoCodec[] = [
  { payloadType: 120, rtx: 124, name: 'VP8', parameters: 'max-fs=12288;max-fr=60' },
  { payloadType: 121, rtx: 125, name: 'VP9', parameters: 'max-fs=12288;max-fr=60' },
  {
    payloadType: 126,
    rtx: 127,
    name: 'H264',
    parameters: 'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
  },
  { payloadType: 97, rtx: 98, name: 'H264', parameters: 'profile-level-id=42e01f;level-asymmetry-allowed=1' },
];

function videoLines(codecs: VideoCodec[], feedback: string[]): string[] {
  return codecs.flatMap(({ payloadType, rtx, name, parameters }) => [
    `a=rtpmap:${payloadType} ${name}/90000`,
    ...feedback.map((kind) => `a=rtcp-fb:${payloadType} ${kind}`),
    ...(parameters ? [`a=fmtp:${payloadType} ${parameters}`] : []),
    ...(rtx ? [`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${payloadType}`] : []),
  ]);
}

function payloads(codecs: VideoCodec[]): string {
  return codecs.flatMap(({ payloadType, rtx }) => (rtx ? [payloadType, rtx] : [payloadType])).join(' ');
}

/** libwebrtc's: transport attributes on every line, one msid for all. */
function webrtcOffer(
  options: OfferOptions,
  video: VideoCodec[],
  extraVideo: { list: string; lines: string[] },
): string {
  const { lines: names, direction = 'sendrecv', setup = 'actpass' } = options;
  const transport = [
    `a=ice-ufrag:${UFRAG}`,
    `a=ice-pwd:${PWD}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    `a=setup:${setup}`,
  ];
  const lines = [
    'v=0',
    'o=- 6465663630540449410 3 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${names.map((_, index) => index).join(' ')}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS a4bc2fd4-79cf-4450-8c73-19e9c187a45e',
  ];
  for (const [mid, name] of names.entries()) {
    if (name === 'data') {
      lines.push('m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', ...transport);
      lines.push(`a=mid:${mid}`, 'a=sctp-port:5000', 'a=max-message-size:262144');
    } else if (name === 'audio') {
      lines.push('m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126', 'c=IN IP4 0.0.0.0');
      lines.push('a=rtcp:9 IN IP4 0.0.0.0', ...transport, `a=mid:${mid}`);
      lines.push(
        'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
        'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
        'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
        'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
        `a=${direction}`,
        'a=msid:a4bc2fd4 e6384b94',
        'a=rtcp-mux',
        'a=rtcp-rsize',
        'a=rtpmap:111 opus/48000/2',
        'a=rtcp-fb:111 transport-cc',
        'a=fmtp:111 minptime=10;useinbandfec=1',
        'a=rtpmap:63 red/48000/2',
        'a=fmtp:63 111/111',
        'a=rtpmap:9 G722/8000',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:8 PCMA/8000',
        'a=rtpmap:13 CN/8000',
        'a=rtpmap:110 telephone-event/48000',
        'a=rtpmap:126 telephone-event/8000',
        'a=ssrc:3109473544 cname:Z4gFHSQgQxw0e0YX',
        'a=ssrc:3109473544 msid:a4bc2fd4 e6384b94',
      );
    } else {
      lines.push(`m=video 9 UDP/TLS/RTP/SAVPF ${payloads(video)}${extraVideo.list}`, 'c=IN IP4 0.0.0.0');
      lines.push('a=rtcp:9 IN IP4 0.0.0.0', ...transport, `a=mid:${mid}`);
      lines.push(
        'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
        'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
        'a=extmap:13 urn:3gpp:video-orientation',
        'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
        'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
        'a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type',
        'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
        'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
        `a=${direction}`,
        'a=msid:a4bc2fd4 a080de7b',
        'a=rtcp-mux',
        'a=rtcp-rsize',
        ...videoLines(video, CHROME_FEEDBACK),
        ...extraVideo.lines,
        'a=ssrc-group:FID 3473273004 1070005218',
        'a=ssrc:3473273004 cname:Z4gFHSQgQxw0e0YX',
        'a=ssrc:1070005218 cname:Z4gFHSQgQxw0e0YX',
      );
    }
  }
  return sdp(lines);
}

const RED_AND_FEC = {
  list: ' 118 119 120',
  lines: ['a=rtpmap:118 red/90000', 'a=rtpmap:119 rtx/90000', 'a=fmtp:119 apt=118', 'a=rtpmap:120 ulpfec/90000'],
};

export function chromeOffer(options: OfferOptions): string {
  return webrtcOffer(options, CHROME_VIDEO, RED_AND_FEC);
}

/** Chromium built without H264. */
export function chromiumWithoutH264Offer(options: OfferOptions): string {
  return webrtcOffer(
    options,
    CHROME_VIDEO.filter(({ name }) => name !== 'H264'),
    RED_AND_FEC,
  );
}

export function safariOffer(options: OfferOptions): string {
  return webrtcOffer(options, SAFARI_VIDEO, { list: '', lines: [] });
}

/** Firefox: fingerprint and options of the session, Opus 109, an extension that only it receives. */
export function firefoxOffer({ lines: names, direction = 'sendrecv', setup = 'actpass' }: OfferOptions): string {
  const lines = [
    'v=0',
    'o=mozilla...THIS_IS_SDPARTA-99.0 4215775240449105457 0 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    `a=group:BUNDLE ${names.map((_, index) => index).join(' ')}`,
    'a=ice-options:trickle',
    'a=msid-semantic:WMS *',
  ];
  const transport = ['a=ice-pwd:0b4ff3e5a1d1c7b2e6d9f8a7c3b2d1e0', 'a=ice-ufrag:7f3c21aa'];
  for (const [mid, name] of names.entries()) {
    if (name === 'data') {
      lines.push('m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=sendrecv', ...transport);
      lines.push(`a=mid:${mid}`, `a=setup:${setup}`, 'a=sctp-port:5000', 'a=max-message-size:1073741823');
    } else if (name === 'audio') {
      lines.push('m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101', 'c=IN IP4 0.0.0.0', `a=${direction}`);
      lines.push(
        'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
        'a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level',
        'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
        'a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1',
        'a=fmtp:101 0-15',
        ...transport,
        `a=mid:${mid}`,
        'a=msid:{0f5d1c1e} {3b1d6f60}',
        'a=rtcp-mux',
        'a=rtpmap:109 opus/48000/2',
        'a=rtpmap:9 G722/8000/1',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:8 PCMA/8000',
        'a=rtpmap:101 telephone-event/8000',
        `a=setup:${setup}`,
        'a=ssrc:2746182134 cname:{c1b0d1a2}',
      );
    } else {
      lines.push(`m=video 9 UDP/TLS/RTP/SAVPF ${payloads(FIREFOX_VIDEO)}`, 'c=IN IP4 0.0.0.0', `a=${direction}`);
      lines.push(
        'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
        'a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
        'a=extmap:5 urn:ietf:params:rtp-hdrext:toffset',
        'a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
        'a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
        ...transport,
        `a=mid:${mid}`,
        'a=msid:{0f5d1c1e} {8c5e3b50}',
        'a=rtcp-mux',
        'a=rtcp-rsize',
        ...videoLines(FIREFOX_VIDEO, FIREFOX_FEEDBACK),
        `a=setup:${setup}`,
        'a=ssrc:3473273004 cname:{c1b0d1a2}',
        'a=ssrc:1070005218 cname:{c1b0d1a2}',
        'a=ssrc-group:FID 3473273004 1070005218',
      );
    }
  }
  return sdp(lines);
}

/** node-datachannel (libdatachannel): transport of the session, mids by name, candidates on the first line. */
export function nodeDatachannelOffer({
  lines: names,
  direction = 'sendonly',
  setup = 'actpass',
}: OfferOptions): string {
  const mids = { audio: 'audio', video: 'video', data: '0' };
  const lines = [
    'v=0',
    'o=rtc 2883142516 0 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${names.map((name) => mids[name]).join(' ')}`,
    'a=group:LS audio video',
    'a=msid-semantic:WMS *',
    `a=setup:${setup}`,
    'a=ice-ufrag:AFjP',
    'a=ice-pwd:bi+V0bcJgmEqWtiTN1aMtL',
    'a=ice-options:ice2,trickle',
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
  ];
  for (const name of names) {
    if (name === 'data') {
      lines.push('m=application 50124 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 192.0.2.2', `a=mid:${mids.data}`);
      lines.push('a=sendrecv', 'a=sctp-port:5000', 'a=max-message-size:262144');
    } else if (name === 'audio') {
      lines.push('m=audio 50124 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 192.0.2.2', 'a=mid:audio', `a=${direction}`);
      lines.push('a=ssrc:1001 cname:cn', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2');
      lines.push('a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1');
    } else {
      lines.push('m=video 50124 UDP/TLS/RTP/SAVPF 102', 'c=IN IP4 192.0.2.2', 'a=mid:video', `a=${direction}`);
      lines.push('a=ssrc:2001 cname:cn', 'a=rtcp-mux', 'a=rtpmap:102 H264/90000', 'a=rtcp-fb:102 nack');
      lines.push('a=rtcp-fb:102 nack pli', 'a=rtcp-fb:102 goog-remb');
      lines.push('a=fmtp:102 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
    }
    if (name === names[0]) {
      lines.push('a=candidate:1 1 UDP 2122317823 192.0.2.2 50124 typ host', 'a=end-of-candidates');
    }
  }
  return sdp(lines);
}

/** Every client's form of an offer, for tests that hold for all. */
export const clientOffers: Readonly<Record<string, (options: OfferOptions) => string>> = {
  Chrome: chromeOffer,
  'Chromium without H264': chromiumWithoutH264Offer,
  Safari: safariOffer,
  Firefox: firefoxOffer,
  'node-datachannel': nodeDatachannelOffer,
};
