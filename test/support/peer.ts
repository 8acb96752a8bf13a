/**
 * Users of the real server without a browser, for tests and load: each has a Janus session on its own WebSocket, a
 * publisher handle and any number of subscriber handles, with real PeerConnections. Publishers send numbered RTP
 * (bench/load/rtp.ts), subscribers keep what they received.
 */

import { EventEmitter } from 'node:events';
import { type JanusHandle, JanusLink, type JanusMessage } from '../../bench/load/janus-link.js';
import { type ChannelOptions, MediaPeer } from '../../bench/load/media-peer.js';
import { pictureLossIndication, type RtcpPacket, readRtcp } from '../../bench/load/rtcp.js';
import {
  type NumberedPayload,
  NumberedStream,
  type RtpHeader,
  readNumberedPayload,
  readRtpHeader,
  type StreamCodec,
} from '../../bench/load/rtp.js';
import {
  announcedSsrc,
  codecOf,
  type MediaLine,
  type OfferedLine,
  publisherOffer,
  readSdp,
  subscriberAnswer,
  type Transport,
} from '../../bench/load/sdp.js';

export type MediaKind = 'audio' | 'video';

/** naf-janus-adapter's two channels. */
export const nafChannels: ChannelOptions[] = [
  { label: 'reliable' },
  { label: 'unreliable', unordered: true, maxRetransmits: 0 },
];

/** An emitter of `change` that a test can wait on: the condition is looked at after each change, with a limit. */
export class Observable extends EventEmitter<{ change: [] }> {
  constructor() {
    super();
    this.setMaxListeners(0);
  }

  changed(): void {
    this.emit('change');
  }

  /** Resolves when `condition` holds; rejects after `limit` milliseconds, saying `what` did not come true. */
  async until(condition: () => boolean, what: string, limit = 10_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.off('change', look);
        settle();
      };
      const look = () => {
        if (condition()) finish(resolve);
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`not within ${limit} ms: ${what}`))), limit);
      this.on('change', look);
    });
  }
}

export interface ReceivedPacket extends RtpHeader, NumberedPayload {
  kind: MediaKind;
  /** Milliseconds, this process's clock. */
  receivedAt: number;
  bytes: Buffer;
}

export interface ReceivedMessage {
  label: string;
  data: string | Buffer;
}

export interface ReceivedRtcp {
  at: number;
  packet: RtcpPacket;
}

export interface PublishOptions {
  audio?: boolean;
  video?: boolean;
  codec?: 'h264' | 'vp8';
  channels?: ChannelOptions[];
  /** As naf-janus-adapter does: an offer of the data channels alone first, media in a second one. */
  mediaLate?: boolean;
  /** Answer keyframe requests with one; default true. */
  obedient?: boolean;
  notifications?: boolean;
  /** Publishers subscribe to data; false makes a handle that sends but is not listed. */
  data?: boolean;
  tag?: number;
  token?: string;
}

let nextSsrc = 0x1000_0001;

/** One user: a WebSocket with a Janus session, in one room. */
export class User {
  readonly link: JanusLink;
  readonly room: string;
  readonly id: string;
  readonly publishers: Publisher[] = [];
  readonly subscribers: Subscriber[] = [];

  private constructor(link: JanusLink, room: string, id: string) {
    this.link = link;
    this.room = room;
    this.id = id;
  }

  static async connect(url: string, room: string, id: string): Promise<User> {
    return new User(await JanusLink.open(url), room, id);
  }

  async publish(options: PublishOptions = {}): Promise<Publisher> {
    const publisher = new Publisher(this, await this.link.attach(), options);
    this.publishers.push(publisher);
    await publisher.negotiate();
    await publisher.join();
    return publisher;
  }

  async subscribe(source: string): Promise<Subscriber> {
    const subscriber = new Subscriber(this, await this.link.attach(), source);
    this.subscribers.push(subscriber);
    await subscriber.join();
    return subscriber;
  }

  /** Leaves as a closed page does: peers and socket go, no farewell. */
  async close(): Promise<void> {
    const members = [...this.publishers, ...this.subscribers];
    await Promise.all([...members.map((member) => member.close()), this.link.close()]);
  }
}

/** What publishers and subscribers share: a handle, its events, its current peer. */
class Member extends Observable {
  readonly user: User;
  readonly handle: JanusHandle;
  readonly events: JanusMessage[] = [];
  readonly rtcp: ReceivedRtcp[] = [];
  peer: MediaPeer;

  constructor(user: User, handle: JanusHandle) {
    super();
    this.user = user;
    this.handle = handle;
    this.peer = new MediaPeer(user.id);
    handle.on('event', (event) => {
      this.events.push(event);
      this.changed();
    });
  }

  sent(janus: string): JanusMessage[] {
    return this.events.filter((event) => event.janus === janus);
  }

  /** Plugin events of one kind: join, leave, blocked, unblocked, data. */
  notices(event: string): Record<string, unknown>[] {
    return this.sent('event').flatMap(({ plugindata }) => (plugindata?.data.event === event ? [plugindata.data] : []));
  }

  protected receiveRtcp(compound: Buffer): RtcpPacket[] {
    const packets = readRtcp(compound);
    for (const packet of packets) this.rtcp.push({ at: performance.now(), packet });
    return packets;
  }

  protected lineOf(lines: MediaLine[], kind: string): MediaLine | undefined {
    return lines.find((line) => line.kind === kind && line.port !== 0);
  }
}

export class Publisher extends Member {
  readonly audio: NumberedStream;
  readonly video: NumberedStream;
  readonly messages: ReceivedMessage[] = [];
  /** When each PLI or FIR came, one entry per request. */
  readonly keyframeRequests: number[] = [];
  readonly options: PublishOptions;
  #version = 0;
  #transport: Transport | null = null;
  #timers: NodeJS.Timeout[] = [];
  #keyframeDue = true;

  constructor(user: User, handle: JanusHandle, options: PublishOptions) {
    super(user, handle);
    this.options = options;
    const tag = options.tag ?? nextSsrc;
    const common = { tag, payloadType: 0 };
    this.audio = new NumberedStream({
      ...common,
      codec: 'opus',
      ssrc: nextSsrc++,
      payloadBytes: 88,
      packetsPerSecond: 50,
    });
    this.video = new NumberedStream({
      ...common,
      codec: options.codec ?? 'h264',
      ssrc: nextSsrc++,
      payloadBytes: 1188,
      packetsPerSecond: 100,
    });
  }

  /** Offers, waits for the answer and for the connection. */
  async negotiate(): Promise<void> {
    const { audio = true, video = true, channels = nafChannels, mediaLate = false } = this.options;
    this.#listen();
    this.#transport = await this.peer.offer(channels);
    const data: OfferedLine[] = channels.length > 0 ? [{ kind: 'application', mid: '0' }] : [];
    const media: OfferedLine[] = [
      ...(audio ? [{ kind: 'audio' as const, mid: '1', ssrc: this.audio.ssrc }] : []),
      ...(video ? [{ kind: 'video' as const, mid: '2', ssrc: this.video.ssrc }] : []),
    ];
    const ups = this.sent('webrtcup').length;
    const first = mediaLate ? data : [...data, ...media];
    this.peer.acceptAnswer((await this.offer(first)).transport);
    await this.peer.ready;
    await this.until(() => this.sent('webrtcup').length > ups, 'webrtcup');
    if (mediaLate) await this.offer([...data, ...media]);
  }

  /** Offers these lines, and takes the payload types of the answer for the streams. */
  async offer(lines: OfferedLine[]): Promise<ReturnType<typeof readSdp>> {
    if (!this.#transport) throw new Error('offered before the transport was made');
    const sdp = publisherOffer(this.#transport, lines, ++this.#version, [this.options.codec ?? 'h264']);
    const { jsep } = await this.handle.message({}, { type: 'offer', sdp });
    if (!jsep) throw new Error('the offer was answered without a jsep');
    const answer = readSdp(jsep.sdp);
    for (const stream of [this.audio, this.video]) {
      const line = this.lineOf(answer.lines, stream === this.audio ? 'audio' : 'video');
      if (line) stream.payloadType = Number(line.formats[0]);
    }
    return answer;
  }

  async join(): Promise<JanusMessage> {
    const { notifications = true, data = true, token } = this.options;
    return this.handle.message({
      kind: 'join',
      room_id: this.user.room,
      user_id: this.user.id,
      subscribe: { notifications, data },
      ...(token === undefined ? {} : { token }),
    });
  }

  /** An ICE restart as the server sees it: other credentials on the same handle, from a new peer. */
  async restart(): Promise<void> {
    const old = this.peer;
    this.peer = new MediaPeer(this.user.id);
    await this.negotiate();
    await old.close();
  }

  sendAudio(): boolean {
    return this.peer.send(this.audio.next(false, performance.now()));
  }

  /** Sends a video packet: a keyframe if asked for here or by the server since the last one. */
  sendVideo(keyframe = false): boolean {
    const due = keyframe || this.#keyframeDue;
    this.#keyframeDue = false;
    return this.peer.send(this.video.next(due, performance.now()));
  }

  /** Sends on timers until `stop`. */
  start({ audioPps = 50, videoPps = 100 } = {}): void {
    if (audioPps > 0) this.#timers.push(setInterval(() => this.sendAudio(), 1000 / audioPps));
    if (videoPps > 0) this.#timers.push(setInterval(() => this.sendVideo(), 1000 / videoPps));
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Sends a data message; resolves when the channel is open and took it. */
  async say(label: string, message: string | Buffer): Promise<void> {
    await this.until(() => this.peer.channels.get(label)?.isOpen() === true, `channel ${label} is open`);
    const channel = this.peer.channels.get(label);
    if (typeof message === 'string') channel?.sendMessage(message);
    else channel?.sendMessageBinary(message);
  }

  async close(): Promise<void> {
    this.stop();
    await this.peer.close();
  }

  #listen(): void {
    this.peer.onData = (label, data) => {
      this.messages.push({ label, data });
      this.changed();
    };
    this.peer.onChannel = () => this.changed();
    this.peer.onRtcp = (compound) => {
      for (const packet of this.receiveRtcp(compound)) {
        if (packet.kind !== 'pli' && packet.kind !== 'fir') continue;
        this.keyframeRequests.push(performance.now());
        if (this.options.obedient ?? true) this.#keyframeDue = true;
      }
      this.changed();
    };
  }
}

interface ExpectedStream {
  kind: MediaKind;
  codec: StreamCodec;
}

export class Subscriber extends Member {
  readonly source: string;
  readonly packets: ReceivedPacket[] = [];
  /** SSRC and payload type of each kind, as our server's offer says. */
  readonly announced: Record<MediaKind, { ssrc: number; payloadType: number }> = {
    audio: { ssrc: 0, payloadType: 0 },
    video: { ssrc: 0, payloadType: 0 },
  };
  readonly count: Record<MediaKind, number> = { audio: 0, video: 0 };
  #expected = new Map<number, ExpectedStream>();
  #version = 0;

  constructor(user: User, handle: JanusHandle, source: string) {
    super(user, handle);
    this.source = source;
    this.peer.onRtp = (packet) => this.#receive(packet);
    this.peer.onRtcp = (compound) => {
      this.receiveRtcp(compound);
      this.changed();
    };
  }

  async join(): Promise<void> {
    const { room, id } = this.user;
    const { jsep } = await this.handle.message({
      kind: 'join',
      room_id: room,
      user_id: id,
      subscribe: { media: this.source },
    });
    if (!jsep) throw new Error(`the subscription to ${this.source} came without an offer`);
    await this.answer(jsep.sdp);
    await this.peer.ready;
  }

  async answer(sdp: string): Promise<void> {
    const offer = readSdp(sdp);
    for (const kind of ['audio', 'video'] as const) {
      const line = this.lineOf(offer.lines, kind);
      if (!line) continue;
      const format = line.formats[0] ?? '';
      this.announced[kind] = { ssrc: announcedSsrc(line), payloadType: Number(format) };
      this.#expected.set(Number(format), { kind, codec: codecOf(line, format) as StreamCodec });
    }
    const transport = await this.peer.answer(offer.transport, this.lineOf(offer.lines, 'application') !== undefined);
    const answer = subscriberAnswer(offer, transport, ++this.#version);
    await this.handle.message({}, { type: 'answer', sdp: answer });
    this.peer.connectTo(offer.transport);
  }

  /** Packets of one kind so far. */
  of(kind: MediaKind): ReceivedPacket[] {
    return this.packets.filter((packet) => packet.kind === kind);
  }

  /** Waits for `count` more packets of one kind. */
  async more(kind: MediaKind, count: number, limit?: number): Promise<void> {
    const wanted = this.count[kind] + count;
    await this.until(() => this.count[kind] >= wanted, `${count} more ${kind} packets of ${this.source}`, limit);
  }

  requestKeyframe(): boolean {
    return this.peer.send(pictureLossIndication(1, this.announced.video.ssrc));
  }

  async close(): Promise<void> {
    await this.peer.close();
  }

  #receive(packet: Buffer): void {
    const header = readRtpHeader(packet);
    const expected = this.#expected.get(header.payloadType);
    if (!expected) throw new Error(`payload type ${header.payloadType} was not offered`);
    const payload = readNumberedPayload(packet, header.payloadAt, expected.codec);
    this.packets.push({ ...header, ...payload, kind: expected.kind, receivedAt: performance.now(), bytes: packet });
    this.count[expected.kind]++;
    this.changed();
  }
}
