/** What a PeerConnection's statistics say about the sound and picture that a tile shows. */
export interface MediaStats {
  /** 0..1, the loudness of the last moments. */
  soundLevel: number;
  /** Decoded (or, of one's own, sent) since the beginning. */
  frames: number;
  width: number;
  height: number;
  framesPerSecond: number;
  /** `H264`, `VP8`, …; empty without video. */
  codec: string;
  /** Packets of any kind of media. */
  packets: number;
}

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
  codecId?: string;
  mimeType?: string;
}

/** Reads inbound streams for others' tiles, outbound ones for one's own. */
export async function readStats(pc: RTCPeerConnection, direction: 'inbound' | 'outbound'): Promise<MediaStats> {
  const stats: MediaStats = {
    soundLevel: 0,
    frames: 0,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    codec: '',
    packets: 0,
  };
  const reports = new Map<string, Report>();
  (await pc.getStats()).forEach((report: Report) => void reports.set(report.id, report));
  for (const report of reports.values()) {
    const mine = report.type === `${direction}-rtp`;
    if (report.kind === 'audio' && (mine || (direction === 'outbound' && report.type === 'media-source'))) {
      stats.soundLevel = Math.max(stats.soundLevel, report.audioLevel ?? 0);
    }
    if (!mine) continue;
    stats.packets += report.packetsReceived ?? report.packetsSent ?? 0;
    if (report.kind !== 'video') continue;
    stats.frames += report.framesDecoded ?? report.framesEncoded ?? 0;
    stats.width = report.frameWidth ?? stats.width;
    stats.height = report.frameHeight ?? stats.height;
    stats.framesPerSecond = report.framesPerSecond ?? stats.framesPerSecond;
    stats.codec = reports.get(report.codecId ?? '')?.mimeType?.replace('video/', '') ?? stats.codec;
  }
  return stats;
}

/** `H264 640×360, 24 fps`, or what there is of it. */
export function describeStats(stats: MediaStats): string {
  if (stats.frames === 0) return stats.packets > 0 ? 'audio only' : 'no media yet';
  return `${stats.codec} ${stats.width}×${stats.height}, ${Math.round(stats.framesPerSecond)} fps`;
}
