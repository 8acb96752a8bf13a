/** The traffic of a load generator: senders whose packets and messages say when they were sent, and receivers that read it. */
import type { LoadPublisher, LoadSubscriber } from './load-user.js';
import type { Rates } from './protocol.js';
import { receiverReport, senderReport, sourceDescription } from './rtcp.js';
import { NumberedStream, readNumberedPayload, readRtpHeader } from './rtp.js';
import type { Tally } from './tally.js';

const AUDIO_PAYLOAD_BYTES = 88;
const VIDEO_PAYLOAD_BYTES = 1188;
/** A text as networked-aframe sends it for one entity that moves. */
const MESSAGE_CHARACTERS = 200;
const TICK_MS = 1;
const REPORT_MS = 1000;
const KEYFRAME_MS = 1000;

interface Sender extends LoadPublisher {
  audio: NumberedStream;
  video: NumberedStream;
  /** Subscriptions to it, and other senders of its room. */
  subscribers: number;
  neighbours: number;
}

/** Something that is due again and again; milliseconds. */
interface Flow {
  due: number;
  interval: number;
  emit(now: number): void;
}

const ssrcsOf = (sender: number) => ({ audio: 1000 + sender * 2, video: 1001 + sender * 2 });

export class Traffic {
  readonly #tally: Tally;
  readonly #senders = new Map<number, Sender>();
  readonly #receivers: LoadSubscriber[] = [];
  #flows: Flow[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  static ssrcs(sender: number): { audio: number; video: number } {
    return ssrcsOf(sender);
  }

  has(sender: number): boolean {
    return this.#senders.has(sender);
  }

  /** @param neighbours other senders of its room: each of them gets its messages */
  addSender(index: number, publisher: LoadPublisher, neighbours: number): void {
    const { audio, video } = ssrcsOf(index);
    const { payloadTypes } = publisher;
    this.#senders.set(index, {
      ...publisher,
      audio: new NumberedStream({
        tag: index,
        ssrc: audio,
        codec: 'opus',
        payloadType: payloadTypes.audio,
        payloadBytes: AUDIO_PAYLOAD_BYTES,
        packetsPerSecond: 50,
      }),
      video: new NumberedStream({
        tag: index,
        ssrc: video,
        codec: 'h264',
        payloadType: payloadTypes.video,
        payloadBytes: VIDEO_PAYLOAD_BYTES,
        packetsPerSecond: 100,
      }),
      subscribers: 0,
      neighbours,
    });
    const read = (text: string) => this.#tally.received('data', Number.parseFloat(text), performance.now());
    if (publisher.messages) publisher.messages.onMessage = read;
  }

  addReceiver(source: number, receiver: LoadSubscriber): void {
    const sender = this.#senders.get(source);
    if (sender) sender.subscribers += 1;
    this.#receivers.push(receiver);
    receiver.peer.onRtp = (packet) => this.#receive(receiver, packet);
  }

  /** Sends what is due, evenly spaced, senders staggered; a late tick catches up. Called again, it goes on at these rates. */
  start({ videoPps = 0, audioPps = 0, dataPps = 0, signalledPps = 0 }: Rates): void {
    this.stop();
    const now = performance.now();
    const senders = [...this.#senders.values()];
    this.#flows = senders.flatMap((sender, index) => {
      const { messages } = sender;
      const share = index / senders.length;
      const flow = (pps: number, emit: (now: number) => void): Flow[] =>
        pps > 0 ? [{ interval: 1000 / pps, due: now + (share * 1000) / pps, emit }] : [];
      let keyframeDue = now;
      const sendVideo = (at: number) => {
        const keyframe = keyframeDue <= at;
        if (keyframe) keyframeDue = at + KEYFRAME_MS;
        this.#sendRtp(sender, sender.video, keyframe);
      };
      const say = (how: (text: string) => void) => () => {
        const at = performance.now();
        this.#tally.sent('data', at, sender.neighbours);
        how(`${at} `.padEnd(MESSAGE_CHARACTERS, '.'));
      };
      return [
        ...flow(audioPps, () => this.#sendRtp(sender, sender.audio, false)),
        ...flow(videoPps, sendVideo),
        ...(messages ? flow(dataPps, say(messages.sendData)) : []),
        ...(messages ? flow(signalledPps, say(messages.sendSignalled)) : []),
        ...flow(1000 / REPORT_MS, () => reportSender(sender)),
      ];
    });
    this.#receivers.forEach((receiver, index) => {
      const due = now + (index / this.#receivers.length) * REPORT_MS;
      this.#flows.push({ interval: REPORT_MS, due, emit: () => reportReceiver(receiver) });
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#flows = [];
  }

  #tick(): void {
    const now = performance.now();
    for (const flow of this.#flows) {
      for (; flow.due <= now; flow.due += flow.interval) flow.emit(now);
    }
  }

  #sendRtp(sender: Sender, stream: NumberedStream, keyframe: boolean): void {
    const now = performance.now();
    sender.peer.send(stream.next(keyframe, now));
    this.#tally.sent('rtp', now, sender.subscribers);
  }

  #receive({ payloadTypes }: LoadSubscriber, packet: Buffer): void {
    const { payloadType, payloadAt } = readRtpHeader(packet);
    const video = payloadType === payloadTypes.video;
    // Else it is a retransmission (RFC 4588), of a packet that had been lost.
    if (!video && payloadType !== payloadTypes.audio) return;
    const { sentAt } = readNumberedPayload(packet, payloadAt, video ? 'h264' : 'opus');
    this.#tally.received(video ? 'video' : 'audio', sentAt, performance.now());
  }
}

/** What browsers send once a second: SR + SDES of senders, RR of receivers. */
function reportSender({ peer, audio, video }: Sender): void {
  for (const stream of [audio, video]) {
    const report = senderReport(stream.ssrc, Date.now(), stream.timestamp, stream.number, stream.number * 1000);
    peer.send(Buffer.concat([report, sourceDescription(stream.ssrc, 'load')]));
  }
}

function reportReceiver({ peer, videoSsrc }: LoadSubscriber): void {
  const block = { fractionLost: 0, packetsLost: 0, highestSequenceNumber: 1, jitter: 0 };
  peer.send(receiverReport(1, [{ ...block, ssrc: videoSsrc, lastSenderReport: 0, delaySinceLastSenderReport: 0 }]));
}
