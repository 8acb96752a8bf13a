/** Which of a line's codecs the relay takes, and how it describes them. */
import type { Codec, MediaKind } from '../../workers/protocol.js';
import type { RemoteCodec } from './parse.js';

/** A codec with its payload types, as it stands in an answer or offer of ours. */
export interface Format {
  codec: Codec;
  /** 0..127 without 64..95. */
  payloadType: number;
  rtxPayloadType: number | null;
  /** The a=fmtp value, null for none. */
  parameters: string | null;
}

/** The RTCP feedback that answers and offers list for video (RFC 4585, RFC 5104), in the reference server's order. */
const VIDEO_FEEDBACK = ['ccm fir', 'nack', 'nack pli', 'goog-remb', 'transport-cc'];

const RTPMAP: Readonly<Record<Codec, string>> = {
  opus: 'opus/48000/2',
  h264: 'H264/90000',
  vp8: 'VP8/90000',
  vp9: 'VP9/90000',
  av1: 'AV1/90000',
};

/** naf-janus-adapter turns the Opus stereo off in what it sends; the answer asks every other client for the same. */
const OPUS_PARAMETERS = 'stereo=0; sprop-stereo=0; usedtx=1;';

/** What nearly every WebRTC client can decode: constrained baseline 3.1, non-interleaved. */
export const H264_PARAMETERS = 'profile-level-id=42e01f;packetization-mode=1';

export function clockRateOf(codec: Codec): number {
  return codec === 'opus' ? 48000 : 90000;
}

/** RFC 5761 section 4: with rtcp-mux, 64..95 can't be told from RTCP. */
export function isPayloadType(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 127 && (value < 64 || value > 95);
}

/** The line's Opus, null if it has none. */
export function chooseAudio(codecs: readonly RemoteCodec[]): Format | null {
  for (const { name, clockRate, channels, payloadType } of codecs) {
    if (name !== 'opus' || clockRate !== 48000 || channels === 1 || !isPayloadType(payloadType)) continue;
    return { codec: 'opus', payloadType, rtxPayloadType: null, parameters: OPUS_PARAMETERS };
  }
  return null;
}

/** The first of the preferred codecs that the line has in a form that others can decode, null if there is none. */
export function chooseVideo(codecs: readonly RemoteCodec[], preferred: readonly Codec[]): Format | null {
  for (const codec of preferred) {
    let best: { rank: number; offered: RemoteCodec; parameters: string | null } | null = null;
    for (const offered of codecs) {
      if (offered.name !== codec || offered.clockRate !== 90000 || !isPayloadType(offered.payloadType)) continue;
      const form = videoForm(codec, offered.parameters);
      if (form && (!best || form.rank < best.rank)) best = { ...form, offered };
    }
    if (best) {
      const { payloadType } = best.offered;
      return { codec, payloadType, rtxPayloadType: rtxOf(codecs, payloadType), parameters: best.parameters };
    }
  }
  return null;
}

/** How well a codec with these a=fmtp parameters suits a room (0 is best) and what we answer; null: not at all. */
function videoForm(
  codec: Codec,
  offered: ReadonlyMap<string, string>,
): { rank: number; parameters: string | null } | null {
  switch (codec) {
    case 'h264':
      return h264Form(offered);
    case 'vp8':
      return { rank: 0, parameters: null };
    case 'vp9':
      return (offered.get('profile-id') ?? '0') === '0' ? { rank: 0, parameters: 'profile-id=0' } : null;
    case 'av1':
      return av1Form(offered);
    default:
      return null;
  }
}

/**
 * RFC 6184 section 8.1: packetization-mode 1 of a baseline profile. Without a=fmtp an H264 is baseline 1.0 in mode 0,
 * which the reference server refuses too.
 */
function h264Form(offered: ReadonlyMap<string, string>): { rank: number; parameters: string } | null {
  const profile = (offered.get('profile-level-id') ?? '').toLowerCase();
  if (offered.get('packetization-mode') !== '1' || !/^42[0-9a-f]{4}$/.test(profile)) return null;
  const constrained = (Number.parseInt(profile.slice(2, 4), 16) & 0x40) !== 0;
  const rank = profile === '42e01f' ? 0 : constrained ? 1 : 2;
  return { rank, parameters: `profile-level-id=${profile};packetization-mode=1` };
}

/** The AV1 RTP payload format, section 7.2: profile 0 (Main) at the offered level and tier. */
function av1Form(offered: ReadonlyMap<string, string>): { rank: number; parameters: string | null } | null {
  if ((offered.get('profile') ?? '0') !== '0') return null;
  const level = offered.get('level-idx') ?? '5';
  const tier = offered.get('tier') ?? '0';
  if (offered.size === 0 || !/^\d{1,2}$/.test(level) || !/^[01]$/.test(tier)) return { rank: 0, parameters: null };
  return { rank: 0, parameters: `level-idx=${level};profile=0;tier=${tier}` };
}

/** RFC 4588 section 8.6: the retransmission payload type associated with another one. */
export function rtxOf(codecs: readonly RemoteCodec[], payloadType: number): number | null {
  const rtx = codecs.find(
    ({ name, parameters, payloadType: own }) =>
      name === 'rtx' && parameters.get('apt') === String(payloadType) && own !== payloadType && isPayloadType(own),
  );
  return rtx?.payloadType ?? null;
}

/**
 * The codec that a subscriber is offered in place of one that its publisher has not negotiated.
 *
 * @param preferred the configured video codecs, best first
 */
export function defaultFormat(
  kind: MediaKind,
  preferred: readonly Codec[],
): Omit<Format, 'payloadType' | 'rtxPayloadType'> {
  if (kind === 'audio') return { codec: 'opus', parameters: null };
  const codec = preferred[0] ?? 'h264';
  return { codec, parameters: codec === 'h264' ? H264_PARAMETERS : (videoForm(codec, new Map())?.parameters ?? null) };
}

/** The m-line's formats. */
export function formatList(format: Format): string {
  return format.rtxPayloadType === null ? `${format.payloadType}` : `${format.payloadType} ${format.rtxPayloadType}`;
}

/** a=rtpmap, a=rtcp-fb and a=fmtp of a codec and its retransmissions. */
export function formatLines(format: Format, feedback: readonly string[]): string[] {
  const { codec, payloadType, rtxPayloadType, parameters } = format;
  const lines = [`a=rtpmap:${payloadType} ${RTPMAP[codec]}`];
  for (const kind of feedback) lines.push(`a=rtcp-fb:${payloadType} ${kind}`);
  if (parameters !== null) lines.push(`a=fmtp:${payloadType} ${parameters}`);
  if (rtxPayloadType !== null) {
    lines.push(`a=rtpmap:${rtxPayloadType} rtx/${clockRateOf(codec)}`, `a=fmtp:${rtxPayloadType} apt=${payloadType}`);
  }
  return lines;
}

/** What an answer lists; audio has none there. */
export function answerFeedback(kind: MediaKind): readonly string[] {
  return kind === 'video' ? VIDEO_FEEDBACK : [];
}

/** What an offer to a subscriber lists. */
export function offerFeedback(kind: MediaKind): readonly string[] {
  return kind === 'video' ? VIDEO_FEEDBACK : ['transport-cc'];
}
