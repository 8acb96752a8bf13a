/** A publisher without a browser: a handle with a real peer that sends numbered RTP and data messages. */

import { type ChannelOptions, MediaPeer } from '../../bench/load/media-peer.js';
import { NumberedStream } from '../../bench/load/rtp.js';
import {
  type OfferedLine,
  publisherOffer,
  readSdp,
  type SessionDescription,
  type Transport,
} from '../../bench/load/sdp.js';
import type { Handle } from '../../src/client/index.js';
import { acceptedLine, type Identity, Member } from './member.js';

/** naf-janus-adapter's two channels. */
export const nafChannels: ChannelOptions[] = [
  { label: 'reliable' },
  { label: 'unreliable', unordered: true, maxRetransmits: 0 },
];

export interface PublishOptions {
  audio?: boolean;
  video?: boolean;
  codec?: 'h264' | 'vp8';
  channels?: ChannelOptions[];
  /** Rewrites the server's candidates, for a proxy in between. */
  via?: (candidate: string) => string;
  /** Sends a keyframe when asked for one; default true. */
  obedient?: boolean;
  token?: string;
}

export interface ReceivedMessage {
  label: string;
  data: string | Buffer;
}

/** SSRCs of this process's streams: one for each. */
let nextSsrc = 0x1000_0001;

export class Publisher extends Member {
  readonly options: PublishOptions;
  readonly audio: NumberedStream;
  readonly video: NumberedStream;
  readonly messages: ReceivedMessage[] = [];
  /** When each PLI or FIR came, milliseconds. */
  readonly keyframeRequests: number[] = [];
  /** The server's media port, as its last answer says. */
  serverPort = 0;
  #version = 0;
  #transport: Transport | null = null;
  readonly #timers: NodeJS.Timeout[] = [];
  #keyframeDue = true;

  constructor(identity: Identity, handle: Handle, options: PublishOptions) {
    super(identity, handle);
    this.options = options;
    const common = { tag: nextSsrc, payloadType: 0 };
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

  /**
   * Offers, takes the answer, waits for the connection and for `webrtcup`.
   * @param withMedia false for what naf-janus-adapter does: the data channels alone first, `addMedia` later
   */
  async negotiate(withMedia = true): Promise<void> {
    const { channels = nafChannels } = this.options;
    this.#listen();
    this.#transport = await this.peer.offer(channels);
    const ups = this.told('webrtcup').length;
    const answer = await this.offer([...this.#dataLines(), ...(withMedia ? this.#mediaLines() : [])]);
    const { via = (candidate) => candidate } = this.options;
    this.peer.acceptAnswer({ ...answer.transport, candidates: answer.transport.candidates.map(via) });
    await this.peer.ready;
    await this.until(() => this.told('webrtcup').length > ups, 'webrtcup');
  }

  /** Offers again, with audio and video behind the data channels. */
  async addMedia(): Promise<void> {
    await this.offer([...this.#dataLines(), ...this.#mediaLines()]);
  }

  #dataLines(): OfferedLine[] {
    const { channels = nafChannels } = this.options;
    return channels.length > 0 ? [{ kind: 'application', mid: '0' }] : [];
  }

  #mediaLines(): OfferedLine[] {
    const { audio = true, video = true } = this.options;
    return [
      ...(audio ? [{ kind: 'audio' as const, mid: '1', ssrc: this.audio.ssrc }] : []),
      ...(video ? [{ kind: 'video' as const, mid: '2', ssrc: this.video.ssrc }] : []),
    ];
  }

  /** Offers these lines and takes the payload types of the answer for the streams. */
  async offer(lines: OfferedLine[]): Promise<SessionDescription> {
    if (!this.#transport) throw new Error('offered before the transport was made');
    const sdp = publisherOffer(this.#transport, lines, ++this.#version, [this.options.codec ?? 'h264']);
    const answer = readSdp((await this.handle.offer(sdp)).sdp);
    this.serverPort = Number(answer.transport.candidates[0]?.split(' ')[5]);
    for (const [kind, stream] of [['audio', this.audio] as const, ['video', this.video] as const]) {
      const line = acceptedLine(answer.lines, kind);
      if (line) stream.payloadType = Number(line.formats[0]);
    }
    return answer;
  }

  /** @returns the room's publishers before this one */
  async join(): Promise<string[]> {
    const { room, id: user } = this.identity;
    const { token = null } = this.options;
    const { users } = await this.handle.join({ room, user, token, subscribe: { notifications: true, data: true } });
    return users;
  }

  block(whom: string): Promise<void> {
    return this.handle.block(whom);
  }

  unblock(whom: string): Promise<void> {
    return this.handle.unblock(whom);
  }

  /** An ICE restart as the server sees it: other credentials on the same handle, from a new peer. */
  async restart(): Promise<void> {
    const old = this.peer;
    this.peer = new MediaPeer(this.identity.id);
    await this.negotiate();
    await old.close();
  }

  sendAudio(): boolean {
    return this.peer.send(this.audio.next(false, performance.now()));
  }

  /** Sends a video packet: a keyframe if asked for here, or by the server since the last one. */
  sendVideo(keyframe = false): boolean {
    const due = keyframe || this.#keyframeDue;
    this.#keyframeDue = false;
    return this.peer.send(this.video.next(due, performance.now()));
  }

  /** Sends on timers until `stop`; packets per second. */
  start({ audioPps = 50, videoPps = 100 } = {}): void {
    if (audioPps > 0) this.#timers.push(setInterval(() => this.sendAudio(), 1000 / audioPps));
    if (videoPps > 0) this.#timers.push(setInterval(() => this.sendVideo(), 1000 / videoPps));
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  /** Waits until the channel is open, then sends a data message. */
  async say(label: string, message: string | Buffer): Promise<void> {
    await this.until(() => this.peer.channels.get(label)?.isOpen() === true, `channel ${label} is open`);
    const channel = this.peer.channels.get(label);
    if (typeof message === 'string') channel?.sendMessage(message);
    else channel?.sendMessageBinary(message);
  }

  override async close(): Promise<void> {
    this.stop();
    await super.close();
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
