/** What a handle is like at this moment, for operators: read when they ask, at no cost to any packet. */
import * as layout from '../assembly/layout.js';
import type { Engine } from './engine.js';
import { hostCandidates } from './host-candidates.js';
import type { DownTrack, Member, UpTrack } from './member.js';
import type { HandleDescription, MediaKind, PeerDescription, StreamDescription } from './protocol.js';

/** Milliseconds with three decimals: what lies below is noise. */
const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;

/** What both directions are described by. */
function common(kind: MediaKind, read: (statistic: number) => number) {
  const roundTripTime = read(layout.STATISTIC_ROUND_TRIP_TIME);
  return {
    kind,
    ssrc: read(layout.STATISTIC_SSRC),
    packets: read(layout.STATISTIC_PACKETS),
    bytes: read(layout.STATISTIC_OCTETS),
    lost: read(layout.STATISTIC_LOST),
    jitter: rounded(read(layout.STATISTIC_JITTER)),
    roundTripTime: roundTripTime === 0 ? null : rounded(roundTripTime),
    keyframeRequests: read(layout.STATISTIC_KEYFRAME_REQUESTS),
    nacks: read(layout.STATISTIC_NACKS),
    retransmissions: read(layout.STATISTIC_RETRANSMISSIONS),
  };
}

function describeUp(engine: Engine, track: UpTrack, now: number): StreamDescription {
  const read = (statistic: number) => engine.upTrackStatistic(track.index, statistic);
  const last = engine.lastPacketAt(track.index);
  return {
    direction: 'up',
    ...common(track.kind, read),
    keyframes: read(layout.STATISTIC_KEYFRAMES),
    sources: read(layout.STATISTIC_SOURCES),
    receiving: track.receiving,
    silence: last === 0 ? null : rounded(now - last),
    subscribers: track.downTracks.length,
  };
}

function describeDown(engine: Engine, track: DownTrack): StreamDescription {
  const read = (statistic: number) => engine.downTrackStatistic(track.index, statistic);
  return {
    direction: 'down',
    ...common(track.kind, read),
    active: read(layout.STATISTIC_ACTIVE) !== 0,
    suspended: read(layout.STATISTIC_SUSPENDED) !== 0,
  };
}

function describePeer(member: Member, port: number, now: number): PeerDescription | null {
  if (!member.peer) return null;
  return {
    ...member.peer.inspect(),
    age: rounded(now - member.connectingSince),
    localCandidates: hostCandidates(port),
    channels: [...member.channels].map(([label, { open }]) => ({ label, open })),
  };
}

/**
 * Describes a handle.
 *
 * @param port the shard's UDP port
 * @param now milliseconds, the shard's clock
 */
export function describeMember(engine: Engine, member: Member, port: number, now: number): HandleDescription {
  const ups = [member.audio, member.video].filter((track) => track?.negotiated) as UpTrack[];
  const downs = [member.audioDown, member.videoDown].filter((track) => track !== null);
  return {
    peer: describePeer(member, port, now),
    streams: [
      ...ups.map((track) => describeUp(engine, track, now)),
      ...downs.map((track) => describeDown(engine, track)),
    ],
  };
}
