/**
 * A WebRTC peer without a browser: libdatachannel as the ICE, DTLS-SRTP and SCTP transport, RTP and RTCP as bytes.
 * It has one native track that carries every SSRC and payload type; what the SDP says is the caller's matter (sdp.ts).
 */

import {
  cleanup,
  type DataChannel,
  type DataChannelInitConfig,
  PeerConnection,
  type Track,
  Video,
} from 'node-datachannel';
import { Endings } from '../../workers/endings.js';
import { deferred } from './deferred.js';
import { isRtcp } from './rtp.js';
import { readSdp, type Transport, transportDescription, usableCandidates } from './sdp.js';

const endings = new Endings();

/** A native object that still lives when the process ends takes it down with SIGABRT. */
process.once('exit', () => {
  endings.endAll();
  cleanup();
});

/** To be called when all peers are closed: their callbacks keep the process alive until they are collected as garbage. */
export function releaseNative(): void {
  cleanup();
}

/** A throw inside a native callback aborts the process; here it becomes an ordinary uncaught exception. */
function guarded<Arguments extends unknown[]>(
  callback: (...values: Arguments) => void,
): (...values: Arguments) => void {
  return (...values) => {
    try {
      callback(...values);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };
}

export interface ChannelOptions extends DataChannelInitConfig {
  label: string;
}

/** ICE or DTLS ended before RTP could be sent. */
export class ConnectionFailed extends Error {}

export class MediaPeer {
  /** Resolves when RTP can be sent; rejects if the connection ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the state that ended it, `closed` or `failed`, whoever ended it. */
  readonly ended: Promise<string>;
  onRtp: (packet: Buffer) => void = () => {};
  onRtcp: (packet: Buffer) => void = () => {};
  onData: (label: string, message: string | Buffer) => void = () => {};
  onChannel: (label: string, open: boolean) => void = () => {};
  readonly channels = new Map<string, DataChannel>();
  #connection: PeerConnection;
  #track: Track;
  /** Whether the descriptions have a data line. */
  #data = false;
  #closed = false;

  /** @param bindAddress its only own address, IPv4 or IPv6 */
  constructor(name: string, bindAddress = '127.0.0.1') {
    this.#connection = new PeerConnection(name, {
      iceServers: [],
      bindAddress,
      disableAutoNegotiation: true,
    });
    const ready = deferred<void>();
    const ended = deferred<string>();
    this.ready = ready.promise;
    this.ready.catch(() => {});
    this.ended = ended.promise;
    this.#connection.onStateChange(
      guarded((state) => {
        if (state !== 'closed' && state !== 'failed') return;
        ready.reject(new ConnectionFailed(`the connection of ${name} was ${state} before it was up`));
        ended.resolve(state);
      }),
    );
    const video = new Video('0', 'SendRecv');
    video.addH264Codec(102);
    this.#track = this.#connection.addTrack(video);
    this.#track.onOpen(guarded(() => ready.resolve()));
    this.#track.onMessage(
      guarded((packet) => {
        if (isRtcp(packet)) this.onRtcp(packet);
        else this.onRtp(packet);
      }),
    );
    this.#connection.onDataChannel(guarded((channel) => this.#adopt(channel)));
  }

  /** Makes the offering side. */
  async offer(channels: ChannelOptions[] = []): Promise<Transport> {
    this.#data = channels.length > 0;
    for (const { label, ...options } of channels) this.openChannel(label, options);
    this.#connection.setLocalDescription('offer');
    return this.#gathered();
  }

  acceptAnswer(remote: Transport): void {
    this.#connection.setRemoteDescription(transportDescription(remote, this.#data), 'answer');
    this.connectTo(remote);
  }

  /**
   * Starts connecting. Only once the other side has both descriptions: a libdatachannel that is reached before fails the
   * certificate's check, or loses the first DTLS flight and with it a second.
   */
  connectTo(remote: Transport): void {
    for (const candidate of usableCandidates(remote)) this.#connection.addRemoteCandidate(candidate, '0');
  }

  /** Makes the answering side, which is the DTLS client; `connectTo` is to follow. */
  async answer(remote: Transport, data: boolean): Promise<Transport> {
    this.#data = data;
    this.#connection.setRemoteDescription(transportDescription({ ...remote, setup: 'actpass' }, data), 'offer');
    this.#connection.setLocalDescription('answer');
    return this.#gathered();
  }

  /** Sends RTP or RTCP; the bytes may be overwritten afterwards. False when it could not be sent. */
  send(packet: Buffer): boolean {
    if (this.#closed || !this.#track.isOpen()) return false;
    try {
      return this.#track.sendMessageBinary(packet);
    } catch (error) {
      // The other side's end can come between the look and the sending: another thread closes the track.
      if (this.#track.isOpen()) throw error;
      return false;
    }
  }

  openChannel(label: string, options: DataChannelInitConfig = {}): DataChannel {
    const channel = this.#connection.createDataChannel(label, options);
    this.#adopt(channel);
    return channel;
  }

  /** Closes the connection; resolves when its native threads are done with it. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      endings.close(this.#connection, this.#data && this.#track.isOpen());
    }
    await this.ended;
  }

  #adopt(channel: DataChannel): void {
    const label = channel.getLabel();
    this.channels.set(label, channel);
    channel.onOpen(guarded(() => this.onChannel(label, true)));
    channel.onClosed(guarded(() => this.onChannel(label, false)));
    channel.onMessage(
      guarded((message) => this.onData(label, message instanceof ArrayBuffer ? Buffer.from(message) : message)),
    );
  }

  async #gathered(): Promise<Transport> {
    const connection = this.#connection;
    if (connection.gatheringState() !== 'complete') {
      await new Promise<void>((resolve) => {
        connection.onGatheringStateChange(guarded((state) => state === 'complete' && resolve()));
        if (connection.gatheringState() === 'complete') resolve();
      });
    }
    const description = connection.localDescription();
    if (!description) throw new Error('libdatachannel gathered candidates without a local description');
    return readSdp(description.sdp).transport;
  }
}
