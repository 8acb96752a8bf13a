/** The pieces that our answers and offers have in common. */
import { isIPv6 } from 'node:net';
import type { Codec, LocalCandidate, LocalTransport } from '../../workers/protocol.js';

export interface SdpSettings {
  /** Video codecs that the server takes, in order of preference. */
  videoCodecs: Codec[];
  /** Bytes; told to clients as a=max-message-size (RFC 8841 section 6). */
  dataChannelMaxMessageSize: number;
  /** Whether subscribers may use data channels on their own PeerConnections; else their application line has port 0. */
  subscriberData: boolean;
}

/** What a description says that neither the peer nor the codecs decide. */
export interface AnswerFrame {
  /** Digits, the same for each description of a handle (RFC 8866 section 5.2). */
  sessionId: string;
  /** One more than in the handle's last description. */
  version: number;
  /** The addresses to announce, in order. */
  candidates: LocalCandidate[];
  /** Whether they are told apart from the description (full trickle, RFC 8838). */
  trickled: boolean;
  /** An IP address for o= and c=. */
  address: string;
}

export type Setup = LocalTransport['setup'];

/** The session part: everything before the first m-line. */
export function sessionLines(
  frame: AnswerFrame,
  options: { bundle: string[] | null; extmapAllowMixed: boolean },
): string[] {
  const lines = ['v=0', `o=- ${frame.sessionId} ${frame.version} IN ${inAddress(frame.address)}`, 's=-', 't=0 0'];
  if (options.bundle) lines.push(['a=group:BUNDLE', ...options.bundle].join(' '));
  if (options.extmapAllowMixed) lines.push('a=extmap-allow-mixed');
  lines.push('a=msid-semantic: WMS janus');
  return lines;
}

/** c= of a line. */
export function connectionLine(frame: AnswerFrame): string {
  return `c=IN ${inAddress(frame.address)}`;
}

/** A line's ICE and DTLS parameters (RFC 8839, RFC 8122, RFC 8842). */
export function transportLines(local: LocalTransport, setup: Setup): string[] {
  return [
    `a=ice-ufrag:${local.iceUfrag}`,
    `a=ice-pwd:${local.icePwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    `a=setup:${setup}`,
  ];
}

/** All candidates: clients need not wait for more (half trickle, RFC 8838 section 16). */
export function candidateLines(frame: AnswerFrame): string[] {
  if (frame.trickled) return [];
  return [...frame.candidates.map((candidate) => `a=${candidateText(candidate)}`), 'a=end-of-candidates'];
}

/** `candidate:…` (RFC 8839 5.1), as descriptions and trickled candidates say it. */
export function candidateText({ foundation, priority, address, port }: LocalCandidate): string {
  return `candidate:${foundation} 1 udp ${priority} ${address} ${port} typ host`;
}

/** The SCTP port of every WebRTC client. */
export const SCTP_PORT = 5000;

/** An application line in the form of RFC 8841, or in that of the drafts before it. */
export function dataLines(
  frame: AnswerFrame,
  options: { mid: string; oldStyle: boolean; maxMessageSize: number; transport: string[]; disabled?: boolean },
): string[] {
  const { mid, oldStyle, maxMessageSize, transport, disabled = false } = options;
  if (disabled)
    return ['m=application 0 UDP/DTLS/SCTP webrtc-datachannel', connectionLine(frame), 'a=inactive', ...midLines(mid)];
  return [
    oldStyle ? `m=application 9 DTLS/SCTP ${SCTP_PORT}` : 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    connectionLine(frame),
    'a=sendrecv',
    ...midLines(mid),
    ...(oldStyle
      ? [`a=sctpmap:${SCTP_PORT} webrtc-datachannel 16`]
      : [`a=sctp-port:${SCTP_PORT}`, `a=max-message-size:${maxMessageSize}`]),
    ...transport,
    ...candidateLines(frame),
  ];
}

/** RFC 5888; a line that was offered without a mid is answered without. */
export function midLines(mid: string): string[] {
  return mid === '' ? [] : [`a=mid:${mid}`];
}

/** Lines to text: `\r\n`, which clients' own editing of SDP relies on. */
export function joinLines(lines: string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}

function inAddress(address: string): string {
  return `${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`;
}
