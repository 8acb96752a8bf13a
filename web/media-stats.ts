/** What a PeerConnection's statistics say about the sound and picture that a tile shows. All counts are since the beginning. */
export interface MediaStats {
  /** Milliseconds, of the browser's clock. */
  at: number;
  /** 0..1, the loudness of the last moments. */
  soundLevel: number;
  /** Decoded (or, of one's own, encoded). */
  frames: number;
  width: number;
  height: number;
  framesPerSecond: number;
  /** `H264`, `VP8`, …; empty without video. */
  codec: string;
  /** `opus`; empty without audio. */
  audioCodec: string;
  /** Packets of any kind of media. */
  packets: number;
  lost: number;
  videoBytes: number;
  audioBytes: number;
  /** Seconds; null while unknown. */
  roundTrip: number | null;
  /** Seconds, the greatest of the streams; null while unknown. */
  jitter: number | null;
  /** How the packets travel, such as `udp 192.0.2.7:10000`; empty while unknown. */
  path: string;
}

export type Direction = 'inbound' | 'outbound';

/** The fields that are read, of whatever kind a report is (W3C webrtc-stats). */
interface Report {
  id: string;
  type: string;
  kind?: string;
  audioLevel?: number;
  framesDecoded?: number;
  framesEncoded?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  packetsReceived?: number;
  packetsSent?: number;
  packetsLost?: number;
  bytesReceived?: number;
  bytesSent?: number;
  jitter?: number;
  roundTripTime?: number;
  codecId?: string;
  mimeType?: string;
  selectedCandidatePairId?: string;
  remoteCandidateId?: string;
  localCandidateId?: string;
  currentRoundTripTime?: number;
  candidateType?: string;
  protocol?: string;
  address?: string;
  port?: number;
}

async function reportsOf(pc: RTCPeerConnection): Promise<Map<string, Report>> {
  const reports = new Map<string, Report>();
  (await pc.getStats()).forEach((report: Report) => void reports.set(report.id, report));
  return reports;
}

/** The pair of candidates that packets take, and its round-trip time in seconds. */
export interface TakenPath {
  /** Such as `host udp 192.0.2.7:50000`; the browser may keep its address to itself. */
  local: string;
  remote: string;
  roundTrip: number | null;
}

function takenPath(reports: ReadonlyMap<string, Report>): TakenPath | null {
  const transport = [...reports.values()].find(({ type }) => type === 'transport');
  const pair = reports.get(transport?.selectedCandidatePairId ?? '');
  if (!pair) return null;
  const words = (id: string | undefined) => {
    const { candidateType = '', protocol = '', address = '(hidden)', port = 0 } = reports.get(id ?? '') ?? {};
    return `${candidateType} ${protocol} ${address}:${port}`;
  };
  return {
    local: words(pair.localCandidateId),
    remote: words(pair.remoteCandidateId),
    roundTrip: pair.currentRoundTripTime ?? null,
  };
}

/** @returns null until there is one */
export async function readPath(pc: RTCPeerConnection): Promise<TakenPath | null> {
  return takenPath(await reportsOf(pc));
}

/** Reads inbound streams for others' tiles, outbound ones for one's own. */
export async function readStats(pc: RTCPeerConnection, direction: Direction): Promise<MediaStats> {
  const reports = await reportsOf(pc);
  const path = takenPath(reports);
  const stats: MediaStats = {
    at: performance.now(),
    soundLevel: 0,
    frames: 0,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    codec: '',
    audioCodec: '',
    packets: 0,
    lost: 0,
    videoBytes: 0,
    audioBytes: 0,
    roundTrip: path?.roundTrip ?? null,
    jitter: null,
    path: path?.remote ?? '',
  };
  for (const report of reports.values()) {
    const mine = report.type === `${direction}-rtp`;
    if (report.kind === 'audio' && (mine || (direction === 'outbound' && report.type === 'media-source'))) {
      stats.soundLevel = Math.max(stats.soundLevel, report.audioLevel ?? 0);
    }
    // What was lost on the way to the server is told by the server.
    if (mine || (direction === 'outbound' && report.type === 'remote-inbound-rtp')) addLosses(stats, report);
    if (!mine) continue;
    stats.packets += report.packetsReceived ?? report.packetsSent ?? 0;
    const codec = reports.get(report.codecId ?? '')?.mimeType?.replace(/^\w+\//, '');
    const bytes = report.bytesReceived ?? report.bytesSent ?? 0;
    if (report.kind === 'audio') {
      stats.audioBytes += bytes;
      stats.audioCodec = codec ?? stats.audioCodec;
      continue;
    }
    stats.videoBytes += bytes;
    stats.codec = codec ?? stats.codec;
    stats.frames += report.framesDecoded ?? report.framesEncoded ?? 0;
    stats.width = report.frameWidth ?? stats.width;
    stats.height = report.frameHeight ?? stats.height;
    stats.framesPerSecond = report.framesPerSecond ?? stats.framesPerSecond;
  }
  return stats;
}

function addLosses(stats: MediaStats, { packetsLost, jitter, roundTripTime }: Report): void {
  stats.lost += Math.max(0, packetsLost ?? 0);
  if (jitter !== undefined) stats.jitter = Math.max(stats.jitter ?? 0, jitter);
  if (roundTripTime !== undefined) stats.roundTrip = roundTripTime;
}

/** `H264 640×360, 24 fps`, or what there is of it. */
export function describeStats(stats: MediaStats): string {
  if (stats.frames === 0) return stats.packets > 0 ? 'audio only' : 'no media yet';
  return `${stats.codec} ${stats.width}×${stats.height}, ${Math.round(stats.framesPerSecond)} fps`;
}

/** What changed between two readings, as terms and values for people. */
export function describeChange(before: MediaStats, now: MediaStats): [term: string, value: string][] {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const rate = (bytes: number) => `${Math.max(0, Math.round((bytes * 8) / 1000 / seconds))} kbit/s`;
  const lost = Math.max(0, now.lost - before.lost);
  const sent = now.packets - before.packets + lost;
  const milliseconds = (value: number | null) => (value === null ? 'unknown' : `${Math.round(value * 1000)} ms`);
  const picture = `${now.codec} ${now.width}×${now.height}, ${Math.round(now.framesPerSecond)} fps`;
  return [
    ['Picture', now.codec === '' ? 'none' : `${picture}, ${rate(now.videoBytes - before.videoBytes)}`],
    ['Sound', now.audioCodec === '' ? 'none' : `${now.audioCodec}, ${rate(now.audioBytes - before.audioBytes)}`],
    ['Lost', `${sent > 0 ? ((100 * lost) / sent).toFixed(1) : '0.0'} % (${now.lost} packets in all)`],
    ['Round trip', milliseconds(now.roundTrip)],
    ['Jitter', milliseconds(now.jitter)],
    ['Path', now.path || 'unknown'],
  ];
}
