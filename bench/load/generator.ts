/**
 * The load generator of `bench:relay` and `janus-sfu load`, a child process: real peers that publish numbered RTP through a relay, and count
 * and time what comes out. Publishers and subscribers share this process and so its clock.
 */

import type { LoadPublisher, LoadSubscriber } from './load-user.js';
import type { LoadCommand, LoadMeasurement, LoadReply } from './protocol.js';
import { BareRelay, JanusRelay, type Relay } from './relays.js';
import { receiverReport, senderReport, sourceDescription } from './rtcp.js';
import { NumberedStream, readNumberedPayload, readRtpHeader } from './rtp.js';

const audioPayloadBytes = 88;
const videoPayloadBytes = 1188;
/** Peers that connect at the same time: more only wait for each other's CPU. */
const connectsAtOnce = 10;
/** Milliseconds after the end until a packet counts as lost. */
const stragglersLimit = 500;

interface Sender extends LoadPublisher {
  audio: NumberedStream;
  video: NumberedStream;
  subscribers: number;
  /** When the next packets are due, milliseconds. */
  audioDue: number;
  videoDue: number;
  keyframeDue: number;
}

/** Room, user and publisher of each subscription. */
interface Subscription {
  room: string;
  user: string;
  source: number;
}

let relay: Relay | null = null;
const senders: Sender[] = [];
const receivers: LoadSubscriber[] = [];
const subscriptions: Subscription[] = [];
/** Packets sent from `begin` on and before `end` count, whenever they arrive; milliseconds. */
let begin = Number.POSITIVE_INFINITY;
let end = Number.POSITIVE_INFINITY;
let allReceived: (() => void) | null = null;
let sent = 0;
let expected = 0;
let received = 0;
let latencies = new Float64Array(1 << 16);
let latencyCount = 0;
const timers: NodeJS.Timeout[] = [];

function connected(): Relay {
  if (!relay) throw new Error('not connected to a relay');
  return relay;
}

/** Runs the tasks, a few at a time, in order. */
async function inBatches<T>(tasks: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < tasks.length; at += connectsAtOnce) {
    results.push(...(await Promise.all(tasks.slice(at, at + connectsAtOnce).map((task) => task()))));
  }
  return results;
}

const ssrcsOf = (publisher: number) => ({ audio: 1000 + publisher * 2, video: 1001 + publisher * 2 });

async function publish(publishers: number, subscribers: number, room: string): Promise<void> {
  const into = connected();
  const oneRoom = subscribers < publishers;
  const roomOf = (publisher: number) => (oneRoom ? room : `${room}-${publisher}`);
  for (let source = 0; source < publishers; source++) {
    for (let listener = 1; listener <= subscribers; listener++) {
      const user = oneRoom ? `user-${(source + listener) % publishers}` : `listener-${source}-${listener}`;
      subscriptions.push({ room: roomOf(source), user, source });
    }
  }
  const tasks = Array.from(
    { length: publishers },
    (_, index) => () => into.publish(roomOf(index), `user-${index}`, ssrcsOf(index)),
  );
  (await inBatches(tasks)).forEach((publisher, index) => {
    const { audio, video } = ssrcsOf(index);
    const common = { tag: index };
    senders.push({
      ...publisher,
      audio: new NumberedStream({
        ...common,
        ssrc: audio,
        codec: 'opus',
        payloadType: publisher.payloadTypes.audio,
        payloadBytes: audioPayloadBytes,
        packetsPerSecond: 50,
      }),
      video: new NumberedStream({
        ...common,
        ssrc: video,
        codec: 'h264',
        payloadType: publisher.payloadTypes.video,
        payloadBytes: videoPayloadBytes,
        packetsPerSecond: 100,
      }),
      subscribers,
      audioDue: 0,
      videoDue: 0,
      keyframeDue: 0,
    });
  });
}

async function subscribe(count: number): Promise<void> {
  const from = connected();
  const tasks = subscriptions.splice(0, count).map(
    ({ room, user, source }) =>
      () =>
        from.subscribe(room, user, `user-${source}`),
  );
  for (const receiver of await inBatches(tasks)) {
    receivers.push(receiver);
    receiver.peer.onRtp = (packet) => receive(receiver, packet);
  }
}

function receive(receiver: LoadSubscriber, packet: Buffer): void {
  const { payloadType, payloadAt } = readRtpHeader(packet);
  const video = payloadType === receiver.payloadTypes.video;
  // Else it is a retransmission (RFC 4588), of a packet that had been lost.
  if (!video && payloadType !== receiver.payloadTypes.audio) return;
  const { sentAt } = readNumberedPayload(packet, payloadAt, video ? 'h264' : 'opus');
  if (sentAt < begin || sentAt >= end) return;
  received++;
  if (video) {
    if (latencyCount === latencies.length) {
      const more = new Float64Array(latencies.length * 2);
      more.set(latencies);
      latencies = more;
    }
    latencies[latencyCount++] = performance.now() - sentAt;
  }
  if (received === expected) allReceived?.();
}

/** Sends what is due, evenly spaced, publishers staggered; a late tick catches up. */
function startSending(videoPps: number, audioPps: number): void {
  const start = performance.now();
  senders.forEach((sender, index) => {
    const share = index / senders.length;
    sender.videoDue = start + (share * 1000) / videoPps;
    sender.audioDue = start + (share * 1000) / audioPps;
    sender.keyframeDue = start;
  });
  const tick = () => {
    const now = performance.now();
    for (const sender of senders) {
      for (; audioPps > 0 && sender.audioDue <= now; sender.audioDue += 1000 / audioPps) {
        send(sender, sender.audio, false);
      }
      for (; videoPps > 0 && sender.videoDue <= now; sender.videoDue += 1000 / videoPps) {
        const keyframe = sender.keyframeDue <= now;
        if (keyframe) sender.keyframeDue += 1000;
        send(sender, sender.video, keyframe);
      }
    }
  };
  timers.push(setInterval(tick, 1), setInterval(sendReports, 1000));
}

function send(sender: Sender, stream: NumberedStream, keyframe: boolean): void {
  const now = performance.now();
  sender.peer.send(stream.next(keyframe, now));
  if (now < begin || now >= end) return;
  sent++;
  expected += sender.subscribers;
}

/** What browsers send once a second: SR + SDES of publishers, RR of subscribers. */
function sendReports(): void {
  for (const { peer, video, audio } of senders) {
    for (const stream of [audio, video]) {
      const report = senderReport(stream.ssrc, Date.now(), stream.timestamp, stream.number, stream.number * 1000);
      peer.send(Buffer.concat([report, sourceDescription(stream.ssrc, 'load')]));
    }
  }
  for (const { peer, videoSsrc } of receivers) {
    const block = { fractionLost: 0, packetsLost: 0, highestSequenceNumber: 1, jitter: 0 };
    peer.send(receiverReport(1, [{ ...block, ssrc: videoSsrc, lastSenderReport: 0, delaySinceLastSenderReport: 0 }]));
  }
}

function beginMeasuring(): void {
  sent = 0;
  expected = 0;
  received = 0;
  latencyCount = 0;
  end = Number.POSITIVE_INFINITY;
  begin = performance.now();
}

async function endMeasuring(): Promise<LoadMeasurement> {
  end = performance.now();
  if (received < expected) {
    await new Promise<void>((resolve) => {
      allReceived = resolve;
      setTimeout(resolve, stragglersLimit);
    });
  }
  begin = Number.POSITIVE_INFINITY;
  return measurement();
}

function measurement(): LoadMeasurement {
  const sorted = latencies.slice(0, latencyCount).sort();
  const quantile = (share: number) =>
    sorted[Math.min(latencyCount - 1, Math.floor(latencyCount * share))] ?? Number.NaN;
  return { sent, expected, received, latency: { p50: quantile(0.5), p99: quantile(0.99), worst: quantile(1) } };
}

function relayOf(target: Extract<LoadCommand, { type: 'connect' }>['target']): Relay {
  return target.kind === 'janus' ? new JanusRelay(target.url, target) : new BareRelay(target.port);
}

async function run(command: LoadCommand): Promise<LoadMeasurement | undefined> {
  switch (command.type) {
    case 'connect':
      relay = relayOf(command.target);
      return undefined;
    case 'publish':
      await publish(command.publishers, command.subscribers, command.room ?? 'bench');
      return undefined;
    case 'subscribe':
      await subscribe(command.count ?? subscriptions.length);
      return undefined;
    case 'send':
      startSending(command.videoPps, command.audioPps);
      return undefined;
    case 'begin-measuring':
      beginMeasuring();
      return undefined;
    case 'look':
      return measurement();
    case 'end-measuring':
      return endMeasuring();
    case 'close':
      for (const timer of timers) clearInterval(timer);
      await relay?.close();
      return undefined;
  }
}

process.on('message', (command: LoadCommand) => {
  run(command).then(
    (measurement) => process.send?.({ ok: true, ...(measurement ? { measurement } : {}) } satisfies LoadReply),
    (error: unknown) => process.send?.({ ok: false, error: String(error) } satisfies LoadReply),
  );
});
process.once('disconnect', () => process.exit(0));
