/**
 * SDP of load generators and tests: what a browser would say to the server about a peer whose transport is
 * libdatachannel, and what libdatachannel must be told about the server.
 * The two differ: libdatachannel is shown one m=video and one m=application, whatever the client negotiates, because
 * with one track it passes on every SSRC and payload type unlooked at.
 */

/** One side's ICE and DTLS parameters. */
export interface Transport {
  iceUfrag: string;
  icePwd: string;
  /** As in the SDP: algorithm, space, hex pairs. */
  fingerprint: string;
  setup: string;
  /** The candidate attributes, from `candidate:` on. */
  candidates: string[];
}

export interface MediaLine {
  kind: string;
  port: number;
  protocol: string;
  /** Payload types of an audio or video line, `webrtc-datachannel` of a data line. */
  formats: string[];
  mid: string;
  /** Attribute lines without `a=`. */
  attributes: string[];
}

export interface SessionDescription {
  transport: Transport;
  lines: MediaLine[];
}

const eol = '\r\n';

function attributeValue(lines: string[], name: string): string | undefined {
  return lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
}

/** Reads a description; throws where it lacks what a peer needs. Transport attributes are taken from the first line that has them. */
export function readSdp(sdp: string): SessionDescription {
  const [head = '', ...sections] = sdp.split(/^(?=m=)/m);
  const attributesOf = (text: string) =>
    text
      .split(/\r?\n/)
      .filter((line) => line.startsWith('a='))
      .map((line) => line.slice(2));
  const lines = sections.map((section): MediaLine => {
    const [kind = '', port = '0', protocol = '', ...formats] = section.slice(2, section.search(/\r?\n/)).split(' ');
    const attributes = attributesOf(section);
    return { kind, port: Number(port), protocol, formats, mid: attributeValue(attributes, 'mid') ?? '', attributes };
  });
  const all = [...attributesOf(head), ...lines.flatMap((line) => line.attributes)];
  const need = (name: string) => {
    const value = attributeValue(all, name);
    if (value === undefined) throw new Error(`no a=${name} in the description`);
    return value;
  };
  return {
    transport: {
      iceUfrag: need('ice-ufrag'),
      icePwd: need('ice-pwd'),
      fingerprint: need('fingerprint'),
      setup: need('setup'),
      candidates: [...new Set(all.filter((line) => line.startsWith('candidate:')))],
    },
    lines,
  };
}

/** The SSRC that a line announces (RFC 5576), 0 if it announces none. */
export function announcedSsrc(line: MediaLine): number {
  return Number(attributeValue(line.attributes, 'ssrc')?.split(' ')[0] ?? 0);
}

/** The codec name, lower case, of one of a line's formats. */
export function codecOf(line: MediaLine, format: string): string {
  const map = line.attributes.find((attribute) => attribute.startsWith(`rtpmap:${format} `));
  return (map?.split(' ')[1]?.split('/')[0] ?? '').toLowerCase();
}

/** A header extension's id on a line (RFC 8285 5), by the end of its URI; 0 if absent. */
export function extensionId(line: MediaLine, uriEnd: string): number {
  const map = line.attributes.find((attribute) => attribute.startsWith('extmap:') && attribute.endsWith(uriEnd));
  return Number(map?.slice('extmap:'.length).split(/[ /]/)[0] ?? 0);
}

export interface OfferedLine {
  kind: 'audio' | 'video' | 'application';
  mid: string;
  /** Announced as Chrome does; absent for a data line. */
  ssrc?: number;
}

const audioFormats = [
  'rtpmap:111 opus/48000/2',
  'rtcp-fb:111 transport-cc',
  'fmtp:111 minptime=10;useinbandfec=1',
  'rtpmap:0 PCMU/8000',
];

const feedback = (payloadType: number) =>
  ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'].map((kind) => `rtcp-fb:${payloadType} ${kind}`);

const videoFormats = {
  vp8: ['rtpmap:96 VP8/90000', ...feedback(96), 'rtpmap:97 rtx/90000', 'fmtp:97 apt=96'],
  h264: [
    'rtpmap:102 H264/90000',
    ...feedback(102),
    'fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'rtpmap:103 rtx/90000',
    'fmtp:103 apt=102',
  ],
};

/** Header extensions as Chrome numbers them. */
const extensions = {
  audio: [
    'extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  ],
  video: [
    'extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'extmap:13 urn:3gpp:video-orientation',
  ],
};

function head(version: number, mids: string[]): string[] {
  return [
    'v=0',
    `o=- 4242 ${version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
  ];
}

function transportLines(transport: Transport): string[] {
  return [
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
  ];
}

function offeredAttributes(line: OfferedLine, codecs: ('h264' | 'vp8')[]): { formats: string; attributes: string[] } {
  if (line.kind === 'application') {
    return { formats: 'webrtc-datachannel', attributes: ['sctp-port:5000', 'max-message-size:262144'] };
  }
  const formats = line.kind === 'audio' ? audioFormats : codecs.flatMap((codec) => videoFormats[codec]);
  const payloadTypes = formats.flatMap((attribute) => /^rtpmap:(\d+)/.exec(attribute)?.[1] ?? []);
  return {
    formats: payloadTypes.join(' '),
    attributes: [
      ...extensions[line.kind],
      'sendonly',
      `msid:stream ${line.kind}`,
      'rtcp-mux',
      'rtcp-rsize',
      ...formats,
      `ssrc:${line.ssrc ?? 0} cname:test`,
    ],
  };
}

/**
 * A publisher's offer, as Chrome writes it but for the candidates, which are not needed where the server is reachable.
 * @param version grows with each offer of a peer
 * @param codecs video codecs in order of preference
 */
export function publisherOffer(
  transport: Transport,
  lines: OfferedLine[],
  version: number,
  codecs: ('h264' | 'vp8')[],
): string {
  const sections = lines.flatMap((line) => {
    const { formats, attributes } = offeredAttributes(line, codecs);
    const protocol = line.kind === 'application' ? 'UDP/DTLS/SCTP' : 'UDP/TLS/RTP/SAVPF';
    return [
      `m=${line.kind} 9 ${protocol} ${formats}`,
      'c=IN IP4 0.0.0.0',
      ...transportLines({ ...transport, setup: 'actpass' }),
      `a=mid:${line.mid}`,
      ...attributes.map((attribute) => `a=${attribute}`),
    ];
  });
  const mids = lines.map((line) => line.mid);
  return [...head(version, mids), ...sections, ''].join(eol);
}

/** A subscriber's answer: every offered line accepted as offered, receiving only. */
export function subscriberAnswer(offer: SessionDescription, transport: Transport, version: number): string {
  const sections = offer.lines.flatMap((line) => {
    const kept = line.attributes.filter((attribute) =>
      /^(rtpmap|fmtp|rtcp-fb|extmap|sctp-port|sctpmap|max-message-size)\b/.test(attribute),
    );
    return [
      `m=${line.kind} ${line.port === 0 ? 0 : 9} ${line.protocol} ${line.formats.join(' ')}`,
      'c=IN IP4 0.0.0.0',
      ...transportLines({ ...transport, setup: 'active' }),
      `a=mid:${line.mid}`,
      ...(line.kind === 'application' ? [] : ['a=recvonly', 'a=rtcp-mux', 'a=rtcp-rsize']),
      ...kept.map((attribute) => `a=${attribute}`),
    ];
  });
  const mids = offer.lines.filter((line) => line.port !== 0).map((line) => line.mid);
  return [...head(version, mids), ...sections, ''].join(eol);
}

const dataLine = [
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
];

/** The candidates worth trying: loopback ones alone where there are some, as test peers are bound to loopback. */
export function usableCandidates(transport: Transport): string[] {
  const loopback = transport.candidates.filter((candidate) => candidate.includes(' 127.0.0.1 '));
  return loopback.length > 0 ? loopback : transport.candidates;
}

/**
 * What libdatachannel is told of the other side, but for the candidates.
 * @param data whether there is a data line: an answer's must be the offer's
 */
export function transportDescription(transport: Transport, data: boolean): string {
  const ice = [
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePwd}`,
    `a=fingerprint:${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
  ];
  return [
    ...head(1, data ? ['0', '1'] : ['0']),
    'm=video 9 UDP/TLS/RTP/SAVPF 102',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:102 H264/90000',
    ...ice,
    ...(data ? [...dataLine, ...ice] : []),
    '',
  ].join(eol);
}
