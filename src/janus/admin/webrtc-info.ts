import type {
  HandleDescription,
  HeaderExtensions,
  LocalCandidate,
  MediaKind,
  PeerDescription,
  SelectedCandidate,
  StreamDescription,
} from '../../../workers/protocol.js';
import { clockRateOf, type Format } from '../../sdp/codecs.js';
import { extensionIds } from '../../sdp/extensions.js';
import type { SfuHandle } from '../../sfu/handle.js';

/** One line of the session description, as far as `media` tells of it. */
interface Line {
  kind: MediaKind | 'data';
  mid: string;
  mindex: number;
  send: boolean;
  recv: boolean;
  format: Format | null;
  rtxSsrc: number | null;
}

function linesOf(peer: NonNullable<SfuHandle['peer']>): Line[] {
  if (peer.role === 'publisher') {
    return peer.plan.lines.flatMap((line, mindex): Line[] => {
      const place = { mid: line.mid, mindex, send: false, rtxSsrc: null };
      if (line.use === 'none') return [];
      if (line.use === 'data') return [{ ...place, kind: 'data', send: true, recv: true, format: null }];
      return [{ ...place, kind: line.kind, recv: line.direction === 'recvonly', format: line.format }];
    });
  }
  const { plan, answered } = peer;
  const lines = plan.lines.map(({ kind, mid, format, rtxSsrc }, mindex): Line => {
    const send = answered?.kinds.includes(kind) ?? false;
    return { kind, mid, mindex, send, recv: false, format, rtxSsrc: peer.rtx ? rtxSsrc : null };
  });
  if (!answered?.data) return lines;
  const data = { kind: 'data' as const, mid: 'd', mindex: lines.length, send: true, recv: true };
  return [...lines, { ...data, format: null, rtxSsrc: null }];
}

function extensionsOf(peer: NonNullable<SfuHandle['peer']>): HeaderExtensions {
  const each: HeaderExtensions[] =
    peer.role === 'publisher'
      ? peer.plan.lines.flatMap((line) => (line.use === 'media' ? [line.extensions] : []))
      : peer.plan.tracks.map(({ extensions }) => extensions);
  return Object.assign({}, ...each);
}

function statistics(stream: StreamDescription | undefined): object {
  const zero = { packets: 0, bytes: 0 };
  if (!stream) return { in: zero, out: zero };
  const { direction, packets, bytes, nacks, retransmissions } = stream;
  const counted = { packets, bytes, nacks, retransmissions };
  return direction === 'up' ? { in: counted, out: zero } : { in: zero, out: counted };
}

/** Reception up is measured here, reception down as the client reports it. Milliseconds. */
function rtcpOf({ direction, roundTripTime, lost, jitter }: StreamDescription, format: Format): object {
  const base = { base: clockRateOf(format.codec), ...(roundTripTime === null ? {} : { rtt: roundTripTime }) };
  return {
    main:
      direction === 'up'
        ? { ...base, lost, 'jitter-local': jitter }
        : { ...base, 'lost-by-remote': lost, 'jitter-remote': jitter },
  };
}

function ssrcOf(stream: StreamDescription | undefined, line: Line): object {
  if (!stream || stream.ssrc === 0) return {};
  if (stream.direction === 'up') return { ssrc: { 'ssrc-peer': stream.ssrc } };
  return { ssrc: { ssrc: stream.ssrc, ...(line.rtxSsrc === null ? {} : { 'ssrc-rtx': line.rtxSsrc }) } };
}

function medium(line: Line, { streams, peer }: HandleDescription): object {
  const { kind: type, mindex, mid, format, send, recv } = line;
  const place = { type, mindex, mid };
  if (!format) {
    const stats = { in: { bytes: peer?.dataBytesReceived ?? 0 }, out: { bytes: peer?.dataBytesSent ?? 0 } };
    return { ...place, channels: peer?.channels ?? [], stats };
  }
  const stream = streams.find((one) => one.kind === type);
  const { payloadType: pt, rtxPayloadType, codec } = format;
  return {
    ...place,
    ...ssrcOf(stream, line),
    direction: { send, recv },
    codecs: { pt, ...(rtxPayloadType === null ? {} : { 'rtx-pt': rtxPayloadType }), codec },
    ...(stream ? { rtcp: rtcpOf(stream, format) } : {}),
    stats: statistics(stream),
  };
}

const endpoint = ({ address, port, type, protocol }: SelectedCandidate): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port} [${type},${protocol}]`;

/** As Janus shows candidates: without `candidate:`. */
const candidateText = ({ foundation, priority, address, port }: LocalCandidate): string =>
  `${foundation} 1 udp ${priority} ${address} ${port} typ host`;

function ice(peer: PeerDescription): object {
  const { selectedPair, iceState, localCandidates } = peer;
  const connected = iceState === 'connected' || iceState === 'completed';
  return {
    stream_id: 1,
    component_id: 1,
    state: iceState,
    'local-candidates': localCandidates.map(candidateText),
    ...(selectedPair
      ? { 'selected-pair': `${endpoint(selectedPair.local)} <-> ${endpoint(selectedPair.remote)}` }
      : {}),
    ready: connected ? 1 : 0,
  };
}

/** Janus' words for the state of DTLS. */
function dtlsState({ connected, state, iceState }: PeerDescription): string {
  if (connected) return 'connected';
  if (state === 'failed') return 'failed';
  return iceState === 'connected' || iceState === 'completed' ? 'trying' : 'created';
}

function dtls(peer: PeerDescription, data: boolean): object {
  const { localFingerprint, remoteFingerprint, dtlsRole, connected } = peer;
  return {
    fingerprint: localFingerprint.value,
    'remote-fingerprint': remoteFingerprint.value,
    'remote-fingerprint-hash': remoteFingerprint.algorithm,
    'dtls-role': dtlsRole,
    'dtls-state': dtlsState(peer),
    // A certificate that does not match ends the PeerConnection.
    valid: connected,
    ready: connected ? 1 : 0,
    'sctp-association': connected && data,
  };
}

/** The `webrtc` of `handle_info`, in the shape of Janus 1.x; null while there is no PeerConnection. */
export function describeWebrtc({ peer }: SfuHandle, description: HandleDescription): object | null {
  const native = description.peer;
  if (!peer || !native) return null;
  const lines = linesOf(peer);
  const data = lines.some(({ kind }) => kind === 'data');
  const extensions = extensionsOf(peer);
  const { transportCc } = extensions;
  return {
    ice: ice(native),
    dtls: dtls(native, data),
    extensions: extensionIds(extensions),
    bwe: transportCc === undefined ? { twcc: false } : { twcc: true, 'twcc-ext-id': transportCc },
    media: Object.fromEntries(lines.map((line) => [line.mid, medium(line, description)])),
  };
}
