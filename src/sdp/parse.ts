/**
 * Descriptions of clients: SDP text to checked data (RFC 8866, RFC 8829).
 *
 * All of it is hostile until it has passed here. Sizes are limited first, then only the attributes that we read go to
 * the grammar, whose expressions for those are linear; what passes is numbers, known words and strings of checked form.
 */
import { parse } from 'sdp-transform';
import type { TransportParameters } from '../../workers/protocol.js';
import { SDP_LIMITS, type SdpLimits, usableLines } from './intake.js';
import { Outlines, templateOf } from './outlines.js';
import { PROCESSING_ERROR, readTransport, type TransportAttributes } from './transport.js';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A payload type of an audio or video line (a=rtpmap, a=fmtp, a=rtcp-fb). */
export interface RemoteCodec {
  /** 0..127. */
  payloadType: number;
  /** Encoding name in lower case. */
  name: string;
  /** Hz. */
  clockRate: number;
  /** Null when the rtpmap doesn't say. */
  channels: number | null;
  /** Names in lower case; where a payload type has several a=fmtp, the last value of a name. */
  parameters: ReadonlyMap<string, string>;
  /** `nack`, `nack pli`, `ccm fir`, … */
  feedback: string[];
}

/** One m-line. */
export interface RemoteLine {
  /** `other` for a medium that we don't know; it is always rejected. */
  kind: 'audio' | 'video' | 'application' | 'other';
  /** The medium as written, a token of at most 32 characters. */
  media: string;
  /** A token of at most 16 characters; '' when the line has none. */
  mid: string;
  /** 0..65535. */
  port: number;
  /** `UDP/TLS/RTP/SAVPF` and the like: words with slashes, at most 32 characters. */
  protocol: string;
  /** The formats after the protocol: payload types, `webrtc-datachannel`, an SCTP port. Not checked: never echo them. */
  formats: string[];
  direction: Direction;
  /** In the order of the m-line; payload types without a=rtpmap are not in it. */
  codecs: RemoteCodec[];
  /** RFC 8285, those that both sides may send and that are not encrypted; ids 1..255. */
  extensions: { id: number; uri: string }[];
  /** The first SSRC that the line declares, the media one of an FID group; null if none. */
  ssrc: number | null;
  /** Port 0 and not bundle-only: the client doesn't use the line. */
  rejected: boolean;
  /** Shares the transport of `RemoteDescription.transport` (RFC 8843); true for all lines where no group is given. */
  bundled: boolean;
  /** The old form of data channels, `DTLS/SCTP 5000` with a=sctpmap. */
  oldStyleData: boolean;
  /** Application lines only. */
  sctpPort?: number;
  /** Bytes; application lines only. */
  maxMessageSize?: number;
}

export interface RemoteDescription {
  lines: RemoteLine[];
  /** Of the first line in use; what a line says wins over the session. */
  transport: TransportParameters;
  /** Whether a=group:BUNDLE was there. */
  grouped: boolean;
  /** RFC 8285 section 4.1.2, session level. */
  extmapAllowMixed: boolean;
}

/** `code` and `reason` are Janus': 465, and a text that says what was wrong; `bound` is the limit that it was about. */
export type Parsed =
  | { ok: true; description: RemoteDescription }
  | { ok: false; code: number; reason: string; bound: keyof SdpLimits | null };

/** Janus' JANUS_ERROR_JSEP_INVALID_SDP. */
export const INVALID_SDP = 465;

/** RFC 8866 section 9's token, but for `%`: an id goes into texts of ours, and no client's has one. */
const TOKEN = /^[\x21\x23\x24\x26\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7e]{1,16}$/;
const MEDIA = /^[A-Za-z0-9_]{1,32}$/;
const PROTOCOL = /^[A-Za-z0-9/]{1,32}$/;

type ParsedSdp = ReturnType<typeof parse>;
type ParsedMedia = ParsedSdp['media'][number];

function failed(reason: string, bound: keyof SdpLimits | null = null): Parsed {
  return { ok: false, code: INVALID_SDP, reason, bound };
}

/**
 * Reads a description, offer or answer. Lines may end in `\r\n` or `\n`, mixed.
 *
 * Never throws; time is linear in the text, and at most what the limits allow.
 */
export function parseDescription(sdp: string, limits: SdpLimits = SDP_LIMITS): Parsed {
  const lines = usableLines(sdp, limits);
  if (!Array.isArray(lines)) return failed(lines.reason, lines.bound);
  const { text: template, original } = templateOf(lines);
  const outline = outlines.get(template, () => readOutline(parse(template)));
  if (typeof outline === 'string') return failed(outline);
  const { attributes, ...description } = outline;
  const { iceUfrag, icePwd, fingerprint, setup } = attributes;
  const [algorithm = '', value = ''] = fingerprint ? original(fingerprint.algorithm).split(' ') : [];
  const transport = readTransport({
    iceUfrag: iceUfrag && original(iceUfrag),
    icePwd: icePwd && original(icePwd),
    fingerprint: fingerprint && { algorithm, value: value === '' ? fingerprint.value : value },
    setup,
  });
  if (typeof transport === 'string') return failed(transport);
  return { ok: true, description: { ...description, transport } };
}

/** A description but for its transport, and where in the text that stands. Shared by all that say the same: never changed. */
interface Outline extends Omit<RemoteDescription, 'transport'> {
  attributes: TransportAttributes;
}

const outlines = new Outlines<Outline | string>();

/** @returns what is wrong with it, if so */
function readOutline(session: ParsedSdp): Outline | string {
  const lines: RemoteLine[] = [];
  const mids = new Set<string>();
  for (const [index, media] of session.media.entries()) {
    const line = readLine(media, session);
    if (typeof line === 'string') return `${line} (m= line ${index + 1})`;
    if (line.mid !== '' && mids.has(line.mid)) return `${PROCESSING_ERROR} (two lines with a=mid:${line.mid})`;
    mids.add(line.mid);
    lines.push(line);
  }
  const first = Math.max(
    0,
    lines.findIndex((line) => !line.rejected),
  );
  const own: Partial<ParsedMedia> = session.media[first] ?? {};
  const fingerprint = own.fingerprint ?? session.fingerprint;
  const attributes = {
    iceUfrag: text(own.iceUfrag ?? session.iceUfrag),
    icePwd: text(own.icePwd ?? session.icePwd),
    fingerprint: fingerprint && { algorithm: String(fingerprint.type), value: String(fingerprint.hash) },
    setup: text(own.setup ?? session.setup),
  };
  const groups = bundleGroups(session);
  markBundled(lines, lines[first], groups);
  for (const line of lines) Object.freeze(line);
  Object.freeze(lines);
  const extmapAllowMixed = session.extmapAllowMixed !== undefined;
  return { lines, attributes, grouped: groups.length > 0, extmapAllowMixed };
}

/** The grammar turns values that look like numbers into numbers; String() gives back what was written. */
function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function integer(value: unknown, maximum: number): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maximum ? value : null;
}

function readLine(media: ParsedMedia, session: ParsedSdp): RemoteLine | string {
  const name = text(media.type) ?? '';
  const protocol = text(media.protocol) ?? '';
  const port = integer(media.port, 65535);
  if (!MEDIA.test(name) || !PROTOCOL.test(protocol) || port === null) {
    return 'Invalid SDP (m= must be followed by a medium, a port, a protocol and formats)';
  }
  const mid = text(media.mid) ?? '';
  if (media.mid !== undefined && !TOKEN.test(mid)) {
    return `${PROCESSING_ERROR} (a=mid must be a token of 1 to 16 characters)`;
  }
  const kind = name === 'audio' || name === 'video' || name === 'application' ? name : 'other';
  const formats = (text(media.payloads) ?? '').split(' ').filter((format) => format !== '');
  const line: RemoteLine = {
    kind,
    media: name,
    mid,
    port,
    protocol,
    formats,
    direction: readDirection(media.direction ?? session.direction),
    codecs: kind === 'audio' || kind === 'video' ? readCodecs(media, formats) : [],
    extensions: readExtensions([...(media.ext ?? []), ...(session.ext ?? [])]),
    ssrc: readSsrc(media),
    rejected: port === 0 && media.bundleOnly === undefined,
    bundled: false,
    oldStyleData: kind === 'application' && /^DTLS\/SCTP$/i.test(protocol),
  };
  if (kind === 'application') readSctp(line, media);
  return line;
}

function readDirection(value: string | undefined): Direction {
  return value === 'sendonly' || value === 'recvonly' || value === 'inactive' ? value : 'sendrecv';
}

function readCodecs(media: ParsedMedia, formats: string[]): RemoteCodec[] {
  const maps = new Map<number, ParsedMedia['rtp'][number]>();
  for (const map of media.rtp) if (!maps.has(map.payload)) maps.set(map.payload, map);
  const parameters = new Map<number, Map<string, string>>();
  for (const { payload, config } of media.fmtp) {
    const known = parameters.get(payload) ?? new Map<string, string>();
    parameters.set(payload, known);
    for (const [name, value] of readParameters(text(config) ?? '')) known.set(name, value);
  }
  const feedback = new Map<number | string, Set<string>>();
  for (const { payload, type, subtype } of media.rtcpFb ?? []) {
    const known = feedback.get(payload) ?? new Set<string>();
    feedback.set(payload, known);
    known.add(subtype === undefined ? String(type) : `${type} ${subtype}`);
  }
  const codecs: RemoteCodec[] = [];
  const payloadTypes = new Set(formats.filter((format) => /^\d{1,3}$/.test(format)).map(Number));
  for (const payloadType of payloadTypes) {
    const map = maps.get(payloadType);
    const clockRate = integer(map?.rate, 1e9);
    if (payloadType > 127 || !map || clockRate === null) continue;
    codecs.push({
      payloadType,
      name: (text(map.codec) ?? '').toLowerCase(),
      clockRate,
      channels: integer(map.encoding, 255),
      parameters: parameters.get(payloadType) ?? new Map(),
      feedback: [...new Set([...(feedback.get(payloadType) ?? []), ...(feedback.get('*') ?? [])])],
    });
  }
  return codecs;
}

/** `name=value` pairs with semicolons between them; names without a value get ''. */
function readParameters(config: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of config.split(';')) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name !== '') pairs.push([name, equals < 0 ? '' : part.slice(equals + 1).trim()]);
  }
  return pairs;
}

function readExtensions(list: NonNullable<ParsedMedia['ext']>): { id: number; uri: string }[] {
  const byUri = new Map<string, number>();
  const ids = new Set<number>();
  for (const extension of list) {
    const uri = text(extension.uri);
    const id = integer(extension.value, 255);
    const oneWay = extension.direction !== undefined && extension.direction !== 'sendrecv';
    if (!id || !uri || oneWay || extension['encrypt-uri'] !== undefined) continue;
    if (ids.has(id) || byUri.has(uri)) continue;
    byUri.set(uri, id);
    ids.add(id);
  }
  return [...byUri].map(([uri, id]) => ({ id, uri }));
}

function readSsrc(media: ParsedMedia): number | null {
  const group = media.ssrcGroups?.find(({ semantics }) => semantics === 'FID');
  const declared = group ? Number((text(group.ssrcs) ?? '').split(' ', 1)[0]) : media.ssrcs?.[0]?.id;
  return integer(declared, 0xffffffff);
}

function readSctp(line: RemoteLine, media: ParsedMedia): void {
  const written = line.oldStyleData ? Number(line.formats[0]) : media.sctpPort;
  const port = integer(written, 65535);
  if (port !== null) line.sctpPort = port;
  const size = integer(media.maxMessageSize, Number.MAX_SAFE_INTEGER);
  if (size !== null) line.maxMessageSize = size;
}

function bundleGroups(session: ParsedSdp): string[][] {
  const groups: string[][] = [];
  for (const { type, mids } of session.groups ?? []) {
    if (type === 'BUNDLE') groups.push(String(mids).split(' '));
  }
  return groups;
}

/** RFC 8843: the lines of the group of the first line in use share its transport; without any group all do. */
function markBundled(lines: RemoteLine[], first: RemoteLine | undefined, groups: string[][]): void {
  const group = new Set(groups.find((mids) => first && mids.includes(first.mid)));
  for (const line of lines) line.bundled = groups.length === 0 || line === first || group.has(line.mid);
}
