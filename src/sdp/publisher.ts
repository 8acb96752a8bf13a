/** What a publisher's offer is taken to mean, and the answer to it (RFC 3264, RFC 8829 section 5.3). */
import type { LocalTransport, MediaKind, UpTrackParameters } from '../../workers/protocol.js';
import {
  answerFeedback,
  chooseAudio,
  chooseVideo,
  clockRateOf,
  type Format,
  formatLines,
  formatList,
} from './codecs.js';
import { acceptExtensions, extensionLines } from './extensions.js';
import type { RemoteDescription, RemoteLine } from './parse.js';
import {
  type AnswerFrame,
  candidateLines,
  connectionLine,
  dataLines,
  joinLines,
  midLines,
  SCTP_PORT,
  type SdpSettings,
  sessionLines,
  transportLines,
} from './write.js';

export type { AnswerFrame, SdpSettings } from './write.js';

/** An audio or video line that we take. */
export interface MediaLine {
  use: 'media';
  kind: MediaKind;
  mid: string;
  protocol: string;
  /** `inactive` where the client doesn't send. */
  direction: 'recvonly' | 'inactive';
  format: Format;
  /** Ids as the client gave them. */
  extensions: UpTrackParameters['extensions'];
}

export interface DataLine {
  use: 'data';
  mid: string;
  oldStyle: boolean;
}

/** A line that is answered with port 0. */
export interface RejectedLine {
  use: 'none';
  media: string;
  mid: string;
  protocol: string;
  /** An application line's format is a word, others have a payload type. */
  format: string;
}

export type PublisherLine = MediaLine | DataLine | RejectedLine;

export interface PublisherPlan {
  /** Of the lines on which the client sends; none for a data-only publisher. */
  tracks: UpTrackParameters[];
  /** One per offered line, in offered order. */
  lines: PublisherLine[];
  /** Whether an application line was taken. */
  data: boolean;
  /** Our DTLS role, by the offer. */
  setup: 'active' | 'passive';
  grouped: boolean;
  extmapAllowMixed: boolean;
  /** Bytes. */
  maxMessageSize: number;
}

const RTP_PROTOCOL = /^(?:UDP\/TLS\/)?RTP\/SAVPF?$/;

/**
 * Decides about each line: at most one audio, one video and one application line are taken. Of several lines of a kind
 * it is the first one on which the client sends, else the first that could be used.
 */
export function planPublisher(offer: RemoteDescription, settings: SdpSettings): PublisherPlan {
  const candidates = offer.lines.map((line) => usableLine(line, settings));
  const chosen = new Set<PublisherLine>();
  for (const kind of ['audio', 'video'] as const) {
    const usable = candidates.filter((line) => line?.use === 'media' && line.kind === kind);
    const line = usable.find((one) => one?.use === 'media' && one.direction === 'recvonly') ?? usable[0];
    if (line) chosen.add(line);
  }
  const data = candidates.find((line) => line?.use === 'data');
  if (data) chosen.add(data);

  const tracks: UpTrackParameters[] = [];
  const lines = offer.lines.map((offered, index): PublisherLine => {
    const line = candidates[index];
    if (!line || !chosen.has(line)) return rejectedLine(offered);
    if (line.use === 'media' && line.direction === 'recvonly') tracks.push(trackOf(line, offered.ssrc));
    return line;
  });
  return {
    tracks,
    lines,
    data: data != null,
    setup: offer.transport.setup === 'active' ? 'passive' : 'active',
    grouped: offer.grouped,
    extmapAllowMixed: offer.extmapAllowMixed,
    maxMessageSize: settings.dataChannelMaxMessageSize,
  };
}

/** The line as we could take it, null if we can't. */
function usableLine(line: RemoteLine, settings: SdpSettings): MediaLine | DataLine | null {
  if (line.rejected || !line.bundled) return null;
  const { kind, mid, protocol } = line;
  if (kind === 'application') return isDataLine(line) ? { use: 'data', mid, oldStyle: line.oldStyleData } : null;
  if (kind === 'other' || !RTP_PROTOCOL.test(protocol)) return null;
  const format = kind === 'audio' ? chooseAudio(line.codecs) : chooseVideo(line.codecs, settings.videoCodecs);
  if (!format) return null;
  const sends = line.direction === 'sendrecv' || line.direction === 'sendonly';
  const extensions = acceptExtensions(kind, line.extensions);
  return { use: 'media', kind, mid, protocol, direction: sends ? 'recvonly' : 'inactive', format, extensions };
}

/** RFC 8841 section 4, or the old form; the port that libdatachannel uses is fixed. */
function isDataLine(line: RemoteLine): boolean {
  if ((line.sctpPort ?? SCTP_PORT) !== SCTP_PORT) return false;
  return line.oldStyleData || (line.protocol === 'UDP/DTLS/SCTP' && line.formats[0] === 'webrtc-datachannel');
}

function rejectedLine({ kind, media, mid, protocol }: RemoteLine): RejectedLine {
  return { use: 'none', media, mid, protocol, format: kind === 'application' ? 'webrtc-datachannel' : '0' };
}

function trackOf({ kind, format, extensions }: MediaLine, ssrc: number | null): UpTrackParameters {
  const { codec, payloadType, rtxPayloadType } = format;
  return { kind, codec, payloadType, rtxPayloadType, clockRate: clockRateOf(codec), extensions, ssrc };
}

/** The mid of the audio or video line, for Janus' `media` and `slowlink` events; null if there is none. */
export function midOf(plan: PublisherPlan, kind: MediaKind): string | null {
  return mediaLineOf(plan, kind)?.mid || null;
}

/** The line of a kind that was taken. */
export function mediaLineOf(plan: PublisherPlan, kind: MediaKind): MediaLine | null {
  for (const line of plan.lines) if (line.use === 'media' && line.kind === kind) return line;
  return null;
}

/**
 * Writes the answer.
 *
 * @param local the peer's side; its `setup` is said if it has decided, else the offer decides
 */
export function writePublisherAnswer(plan: PublisherPlan, local: LocalTransport, frame: AnswerFrame): string {
  const transport = transportLines(local, local.setup === 'actpass' ? plan.setup : local.setup);
  const used = plan.lines.filter((line) => line.use !== 'none' && line.mid !== '');
  const lines = sessionLines(frame, {
    bundle: plan.grouped ? used.map((line) => line.mid) : null,
    extmapAllowMixed: plan.extmapAllowMixed,
  });
  for (const line of plan.lines) {
    switch (line.use) {
      case 'media':
        lines.push(...mediaLines(line, frame, transport));
        break;
      case 'data':
        lines.push(
          ...dataLines(frame, {
            mid: line.mid,
            oldStyle: line.oldStyle,
            maxMessageSize: plan.maxMessageSize,
            transport,
          }),
        );
        break;
      case 'none':
        lines.push(`m=${line.media} 0 ${line.protocol} ${line.format}`, connectionLine(frame), 'a=inactive');
        lines.push(...midLines(line.mid));
        break;
    }
  }
  return joinLines(lines);
}

function mediaLines(line: MediaLine, frame: AnswerFrame, transport: string[]): string[] {
  return [
    `m=${line.kind} 9 ${line.protocol} ${formatList(line.format)}`,
    connectionLine(frame),
    `a=${line.direction}`,
    ...midLines(line.mid),
    'a=rtcp-mux',
    ...transport,
    ...formatLines(line.format, answerFeedback(line.kind)),
    ...extensionLines(line.extensions),
    ...candidateLines(frame),
  ];
}
