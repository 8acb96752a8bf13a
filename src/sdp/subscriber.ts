/** The offer to a subscriber, made from what its publisher negotiated, and the reading of its answer. */
import type { DownTrackParameters, LocalTransport, MediaKind, TransportParameters } from '../../workers/protocol.js';
import {
  defaultFormat,
  type Format,
  formatLines,
  formatList,
  H264_PARAMETERS,
  isPayloadType,
  offerFeedback,
  rtxOf,
} from './codecs.js';
import { extensionLines, ownExtensions } from './extensions.js';
import { INVALID_SDP, type RemoteDescription, type RemoteLine } from './parse.js';
import { mediaLineOf, type PublisherPlan } from './publisher.js';
import { PROCESSING_ERROR } from './transport.js';
import {
  type AnswerFrame,
  candidateLines,
  connectionLine,
  dataLines,
  joinLines,
  midLines,
  type SdpSettings,
  sessionLines,
  transportLines,
} from './write.js';

/** RFC 3550 section 3: 32 bit each, different from each other. */
export interface SubscriberSsrcs {
  audio: number;
  video: number;
  videoRtx: number;
}

export interface SubscriberLine {
  kind: MediaKind;
  mid: string;
  format: Format;
  ssrc: number;
  rtxSsrc: number | null;
}

export interface SubscriberPlan {
  tracks: DownTrackParameters[];
  /** Audio, then video; the application line follows them. */
  lines: SubscriberLine[];
  /** Bytes. */
  maxMessageSize: number;
  /** Whether the application line is offered for use. */
  data: boolean;
}

export type AnswerRead =
  | { ok: true; transport: TransportParameters; kinds: MediaKind[]; data: boolean; rtx: boolean }
  | { ok: false; code: number; reason: string };

const MIDS: Readonly<Record<MediaKind | 'application', string>> = { audio: 'a', video: 'v', application: 'd' };

/** The reference server's payload type for what a publisher has not negotiated, audio and video alike. */
const DEFAULT_PAYLOAD_TYPE = 100;

/** naf-janus-adapter edits the lines of this one into H264 42e01f, whatever they said. */
const ADAPTER_H264_PAYLOAD_TYPE = 107;

/**
 * Plans a subscriber's lines: always audio and video, with the publisher's codecs, payload types and (H264) profile.
 *
 * @param publisher null, or a plan without a line of a kind, where nothing is negotiated yet: defaults are offered
 * @param options.rtx whether retransmissions get a payload type of their own; later offers only if the client took it
 */
export function planSubscriber(
  publisher: PublisherPlan | null,
  ssrcs: SubscriberSsrcs,
  options: { rtx: boolean },
  settings: SdpSettings,
): SubscriberPlan {
  const audioLine = publisher && mediaLineOf(publisher, 'audio');
  const videoLine = publisher && mediaLineOf(publisher, 'video');
  const taken = new Set<number>();
  const audio = audioFormat(audioLine?.format ?? null, videoLine?.format ?? null, settings);
  if (audioLine) taken.add(audio.payloadType);
  const video = videoFormat(videoLine?.format ?? null, taken, settings);
  taken.add(audio.payloadType).add(video.payloadType);
  video.rtxPayloadType = options.rtx ? freePayloadType(video.payloadType + 1, taken) : null;

  const lines: SubscriberLine[] = [
    { kind: 'audio', mid: MIDS.audio, format: audio, ssrc: ssrcs.audio, rtxSsrc: null },
    { kind: 'video', mid: MIDS.video, format: video, ssrc: ssrcs.video, rtxSsrc: options.rtx ? ssrcs.videoRtx : null },
  ];
  const { dataChannelMaxMessageSize: maxMessageSize, subscriberData: data } = settings;
  return { tracks: lines.map(trackOf), lines, maxMessageSize, data };
}

function audioFormat(published: Format | null, video: Format | null, settings: SdpSettings): Format {
  if (published && published.payloadType !== ADAPTER_H264_PAYLOAD_TYPE) return { ...published, rtxPayloadType: null };
  const taken = new Set(video ? [video.payloadType] : []);
  const base = published ?? defaultFormat('audio', settings.videoCodecs);
  return { ...base, payloadType: freePayloadType(DEFAULT_PAYLOAD_TYPE, taken), rtxPayloadType: null };
}

function videoFormat(published: Format | null, taken: ReadonlySet<number>, settings: SdpSettings): Format {
  const base = published ?? defaultFormat('video', settings.videoCodecs);
  const wanted = published?.payloadType ?? DEFAULT_PAYLOAD_TYPE;
  const edited = wanted === ADAPTER_H264_PAYLOAD_TYPE && base.parameters !== H264_PARAMETERS;
  const payloadType = freePayloadType(edited ? DEFAULT_PAYLOAD_TYPE : wanted, taken);
  return { ...base, payloadType, rtxPayloadType: null };
}

/** The first payload type from `wanted` on, around the end of the dynamic range, that is not taken. */
function freePayloadType(wanted: number, taken: ReadonlySet<number>): number {
  let payloadType = wanted;
  while (!isPayloadType(payloadType) || taken.has(payloadType)) payloadType = payloadType >= 127 ? 96 : payloadType + 1;
  return payloadType;
}

function trackOf({ kind, format, ssrc, rtxSsrc }: SubscriberLine): DownTrackParameters {
  const { payloadType, rtxPayloadType } = format;
  return { kind, payloadType, rtxPayloadType, ssrc, rtxSsrc, extensions: ownExtensions(kind) };
}

/** Writes the offer: audio, video, application, in the order that naf-janus-adapter's editing relies on. */
export function writeSubscriberOffer(plan: SubscriberPlan, local: LocalTransport, frame: AnswerFrame): string {
  const transport = transportLines(local, 'actpass');
  // RFC 9143 7.2.1: a line with port 0 is in no group.
  const bundle = [...plan.lines.map((line) => line.mid), ...(plan.data ? [MIDS.application] : [])];
  const lines = sessionLines(frame, { bundle, extmapAllowMixed: true });
  for (const line of plan.lines) lines.push(...offerLines(line, frame, transport));
  lines.push(
    ...dataLines(frame, {
      mid: MIDS.application,
      oldStyle: false,
      maxMessageSize: plan.maxMessageSize,
      transport,
      disabled: !plan.data,
    }),
  );
  return joinLines(lines);
}

function offerLines(line: SubscriberLine, frame: AnswerFrame, transport: string[]): string[] {
  const { kind, mid, format, ssrc, rtxSsrc } = line;
  const msid = `janus janus${mid}0`;
  const ssrcs = rtxSsrc === null ? [ssrc] : [ssrc, rtxSsrc];
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${formatList(format)}`,
    connectionLine(frame),
    'a=sendonly',
    ...midLines(mid),
    'a=rtcp-mux',
    ...transport,
    ...formatLines(format, offerFeedback(kind)),
    ...extensionLines(ownExtensions(kind)),
    `a=msid:${msid}`,
    ...(rtxSsrc === null ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    ...ssrcs.flatMap((one) => [`a=ssrc:${one} cname:janus`, `a=ssrc:${one} msid:${msid}`]),
    ...candidateLines(frame),
  ];
}

/**
 * Whether a subscriber that knows `a` learns nothing from `b`. Retransmissions don't count: they are in later offers
 * only where the client took them in the first.
 */
export function samePlan(a: SubscriberPlan, b: SubscriberPlan): boolean {
  const known = ({ lines, maxMessageSize }: SubscriberPlan) =>
    JSON.stringify([
      maxMessageSize,
      ...lines.map(({ kind, mid, ssrc, format }) => [
        kind,
        mid,
        ssrc,
        format.codec,
        format.payloadType,
        format.parameters,
      ]),
    ]);
  return known(a) === known(b);
}

/**
 * Reads the client's answer to an offer made from `plan`.
 *
 * Lines are known by their mid, or by their kind where they have none: naf-janus-adapter cuts the video out of an
 * offer that its browser can't decode, and then answers two lines.
 *
 * @returns the kinds that the client takes, whether it takes data channels, and whether it takes retransmissions of video under a payload type of
 *   their own; or Janus' 465 when the answer doesn't belong to such an offer
 */
export function readSubscriberAnswer(answer: RemoteDescription, plan: SubscriberPlan): AnswerRead {
  const kinds: MediaKind[] = [];
  let data = false;
  let rtx = false;
  for (const line of answer.lines) {
    if (line.kind === 'application' && (line.mid === '' || line.mid === MIDS.application)) {
      data ||= plan.data && !line.rejected;
      continue;
    }
    const offered = plan.lines.find(({ kind, mid }) => kind === line.kind && (line.mid === '' || line.mid === mid));
    if (!offered) {
      const reason = `${PROCESSING_ERROR} (the answer's ${line.media} line${line.mid && ` with mid ${line.mid}`} was not offered)`;
      return { ok: false, code: INVALID_SDP, reason };
    }
    if (kinds.includes(offered.kind) || !isTaken(line, offered.format)) continue;
    kinds.push(offered.kind);
    const { payloadType, rtxPayloadType } = offered.format;
    if (rtxPayloadType !== null && rtxOf(line.codecs, payloadType) === rtxPayloadType) rtx = true;
  }
  const { transport } = answer;
  const setup = transport.setup === 'actpass' ? 'active' : transport.setup;
  return { ok: true, transport: { ...transport, setup }, kinds, data, rtx };
}

function isTaken(line: RemoteLine, format: Format): boolean {
  if (line.rejected || (line.direction !== 'recvonly' && line.direction !== 'sendrecv')) return false;
  return line.codecs.some(({ payloadType }) => payloadType === format.payloadType);
}
