import type { Numbers, ShardFigures } from '../figures.js';
import { labelled, type Metric, PREFIX, type Sample, snakeCase } from '../metric.js';

/** A metric with the label `shard`: a worker's number, 0 to SFU_WORKERS - 1. */
function perShard(type: Metric['type'], name: string, help: string, read: (figures: ShardFigures) => number): Metric {
  return {
    name: PREFIX + name,
    type,
    help,
    labels: ['shard'],
    read: ({ shards }) => shards.map((shard, number): Sample => [read(shard), String(number)]),
  };
}

/** Metrics of the worker's own counters, and of the engine's, by the counter's name. */
type Table = Readonly<Record<string, readonly [type: Metric['type'], name: string, help: string, scale?: number]>>;

/** Counters of workers/counters.ts. */
export const WORKER_COUNTERS: Table = {
  peers: ['gauge', 'shard_peers', 'PeerConnections'],
  peersEnding: ['gauge', 'shard_peers_ending', 'PeerConnections whose end waits until their SCTP is set up'],
  packetsReceived: ['counter', 'shard_packets_received_total', 'RTP and RTCP packets from clients'],
  packetsSent: [
    'counter',
    'shard_packets_sent_total',
    'RTP packets to subscribers, without those that were sent again',
  ],
  packetsUnsent: [
    'counter',
    'shard_packets_unsent_total',
    'RTP packets that were not taken by the subscriber’s PeerConnection',
  ],
  rtpFromSubscriber: [
    'counter',
    'shard_subscriber_rtp_packets_total',
    'RTP packets that came from subscribers: dropped',
  ],
  videoPauses: [
    'counter',
    'shard_video_pauses_total',
    'Times a subscriber’s video was held back: its line is too narrow',
  ],
  keyframeRequests: ['counter', 'shard_keyframe_requests_sent_total', 'Keyframe requests (PLI, FIR) to publishers'],
  retransmissions: ['counter', 'shard_packets_resent_total', 'RTP packets that were sent again, as subscribers asked'],
  dataReceived: ['counter', 'shard_data_messages_received_total', 'Messages that came by data channels'],
  dataSent: ['counter', 'shard_data_messages_sent_total', 'Messages that were sent by data channels'],
  dataDropped: [
    'counter',
    'shard_data_messages_dropped_total',
    'Messages that were not sent: `DATA_BACKLOG_MAX`, a channel that is closed, or a name that is too long',
  ],
  dataChannelsClosed: [
    'counter',
    'shard_data_channels_closed_total',
    'Reliable channels that were closed: their client was too slow (`DATA_BACKLOG_MAX`)',
  ],
  dataToShards: ['counter', 'shard_data_messages_crossed_total', 'Messages that went to another shard'],
  dataRingFull: ['counter', 'shard_data_messages_ring_full_total', 'Messages that did not: its ring was full'],
  mirrors: ['gauge', 'shard_mirrors', 'Publishers of other workers that have subscribers on this one'],
  packetsToShards: ['counter', 'shard_packets_crossed_total', 'RTP packets that went to mirrors on other workers'],
  videoRingFull: [
    'counter',
    'shard_video_packets_ring_full_total',
    'Video packets that did not: the other worker was behind',
  ],
  audioRingFull: ['counter', 'shard_audio_packets_ring_full_total', 'Audio packets that did not'],
  mirrorDelayMicros: ['gauge', 'shard_mirror_delay_seconds', 'How long the last packet took from another worker', 1e-6],
  faults: ['counter', 'shard_faults_total', 'Errors that were contained: each ended one PeerConnection at most'],
  loopDelayMicros: ['gauge', 'shard_loop_delay_seconds', 'How late the worker’s last regular work was', 1e-6],
  loopBusyPercent: [
    'gauge',
    'shard_loop_busy_ratio',
    'Share of its time that the worker works, of the last seconds',
    0.01,
  ],
  videoShedPercent: [
    'gauge',
    'shard_video_shed_ratio',
    'Share of the subscribers whose video is left out because the worker can’t keep up',
    0.01,
  ],
  heartbeat: ['counter', 'shard_heartbeats_total', 'Rounds of regular work, 20 a second'],
};

/** Counters of the packet engine (workers/memory.ts), but for drops. */
export const ENGINE_COUNTERS: Table = {
  forwarded: ['counter', 'rtp_packets_forwarded_total', 'RTP packets for subscribers'],
  bytesForwarded: ['counter', 'rtp_forwarded_bytes_total', 'Their bytes, headers included'],
  received: ['counter', 'rtp_packets_received_total', 'RTP packets from publishers'],
  bytesReceived: ['counter', 'rtp_received_bytes_total', 'Their bytes, headers included'],
  admitted: [
    'counter',
    'rtp_packets_admitted_total',
    'RTP packets of publishers that were in order: new, of a known stream',
  ],
  keyframes: ['counter', 'rtp_keyframes_total', 'Keyframes of publishers'],
  sourceChanges: ['counter', 'rtp_source_changes_total', 'Times a publisher’s stream went on under another SSRC'],
  retransmitted: ['counter', 'rtp_retransmissions_total', 'Packets that were taken from the history for a NACK'],
  notRetransmitted: [
    'counter',
    'rtp_retransmissions_refused_total',
    'Packets that were asked for, but too old, too often or never sent',
  ],
  rtcpReceived: ['counter', 'rtcp_packets_received_total', 'RTCP packets, each of a compound one'],
  rtcpMalformed: ['counter', 'rtcp_packets_malformed_total', 'Malformed ones: dropped'],
  keyframeRequests: ['counter', 'rtp_keyframe_requests_received_total', 'Keyframe requests (PLI, FIR) of subscribers'],
  blockTableFull: ['counter', 'block_table_full_total', 'Blocks that a shard had no room for'],
  trackTableFull: ['counter', 'track_table_full_total', 'Streams that a shard had no room for'],
  packetsAsked: ['counter', 'rtp_losses_asked_total', 'Times a packet was asked of its publisher again (NACK)'],
  packetsRecovered: ['counter', 'rtp_losses_recovered_total', 'Packets that came after they were missed'],
  packetsGivenUp: ['counter', 'rtp_losses_given_up_total', 'Packets that did not'],
  packetsMirrored: ['counter', 'rtp_packets_mirrored_total', 'RTP packets of publishers of other workers'],
  keyframesReplayed: [
    'counter',
    'rtp_keyframe_replays_total',
    'Subscribers that were started with a keyframe of the history',
  ],
  upTracks: ['gauge', 'up_tracks', 'Audio and video streams of publishers'],
  downTracks: ['gauge', 'down_tracks', 'Audio and video streams to subscribers'],
  blockedPairs: ['gauge', 'blocked_pairs', 'Pairs of present users who don’t hear each other'],
  packetSlots: ['gauge', 'packet_slots', 'Packets that the history has room for'],
  packetSlotsFree: ['gauge', 'packet_slots_free', 'Those of them that are free'],
};

function metricsOf(table: Table, read: (figures: ShardFigures) => Numbers): Metric[] {
  return Object.entries(table).map(([counter, [type, name, help, scale = 1]]) =>
    perShard(type, name, help, (shard) => (read(shard)[counter] ?? 0) * scale),
  );
}

const DROP = /^dropped[A-Z]/;

/** Whether one of the engine's counters counts packets by the reason of their drop. */
export function isDrop(counter: string): boolean {
  return DROP.test(counter);
}

/** Media workers and their packet engines. */
export const SHARD_METRICS: readonly Metric[] = [
  perShard('gauge', 'shard_up', '1 if the media worker is there and its loop runs', ({ up }) => Number(up)),
  perShard(
    'counter',
    'shard_deaths_total',
    'Media workers that died; another took the place of each',
    ({ deaths }) => deaths,
  ),
  ...metricsOf(WORKER_COUNTERS, ({ worker }) => worker),
  ...metricsOf(ENGINE_COUNTERS, ({ engine }) => engine),
  labelled(
    'counter',
    'rtp_packets_dropped_total',
    ['shard', 'reason'],
    'RTP packets that went no further, by reason: those of a publisher once, those for a subscriber (such as `blocked`, `waiting_for_keyframe`) each',
    ({ shards }) =>
      shards.flatMap(({ engine }, shard) =>
        Object.entries(engine)
          .filter(([counter]) => isDrop(counter))
          .map(([counter, count]): Sample => [count, String(shard), snakeCase(counter.slice('dropped'.length))]),
      ),
  ),
];
