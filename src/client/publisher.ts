import { type Deferred, deferred } from './deferred.js';
import { Emitter } from './emitter.js';
import type { Channel, ChannelOptions, IceServer, Peer, Stream } from './environment.js';
import { asError, HungUp } from './errors.js';
import type { Handle } from './handle.js';
import { newPeer, RemoteCandidates, TaskQueue, untilConnected, whenFailed } from './peer.js';

/** The pair of channels that networked-aframe's clients open too; the server passes messages on by label. */
const CHANNELS: Record<string, ChannelOptions> = {
  reliable: { ordered: true },
  unreliable: { ordered: false, maxRetransmits: 0 },
};
/** Bytes that may wait in a channel before `send` refuses. */
const BUFFERED_MAX = 1024 * 1024;

/** What to send, and by what. */
export interface PublishOptions {
  iceServers?: IceServer[];
  /** Audio and video to send; more can follow by `setStream`. */
  stream?: Stream | null;
  /** Data channels to open, by label; default `reliable` and `unreliable`. */
  channels?: Record<string, ChannelOptions>;
}

/** What a publisher tells of its data channels. */
export interface PublisherEvents {
  /** Somebody's message on a data channel: text, or bytes as the browser gives them. */
  message: { label: string; data: unknown };
  /** A channel is open, or not any more. */
  channel: { label: string; open: boolean };
}

/**
 * What a user sends: audio, video and data channels, on the PeerConnection of one handle. The first offer has whatever
 * there is by then; what comes later is negotiated anew.
 */
export class Publisher extends Emitter<PublisherEvents> {
  readonly handle: Handle;
  readonly pc: Peer;
  /** Resolves when the PeerConnection is of no more use, with the reason: failed, hung up, or the handle ended. */
  readonly lost: Promise<Error>;
  readonly #lost: Deferred<Error> = deferred();
  readonly #negotiated: Deferred<void> = deferred();
  readonly #negotiations = new TaskQueue();
  readonly #candidates: RemoteCandidates;
  readonly #channels = new Map<string, Channel>();
  readonly #off: (() => void)[];
  #offerDue = false;
  #closed = false;

  /** @throws {Unsupported} without RTCPeerConnection */
  constructor(handle: Handle, { iceServers = [], stream = null, channels = CHANNELS }: PublishOptions = {}) {
    super();
    this.handle = handle;
    this.lost = this.#lost.promise;
    this.pc = newPeer(handle, iceServers);
    this.#candidates = new RemoteCandidates(this.pc);
    this.#off = [
      handle.on('trickle', (candidate) => this.#candidates.add(candidate)),
      handle.on('hangup', ({ reason }) => this.#lost.resolve(new HungUp(reason))),
      handle.on('detached', ({ problem }) => this.#lost.resolve(problem)),
    ];
    whenFailed(this.pc, this.#lost.resolve);
    this.pc.addEventListener('negotiationneeded', () => this.#negotiate());
    this.pc.addEventListener('datachannel', ({ channel }: { channel: Channel }) => this.#listen(channel));
    for (const [label, options] of Object.entries(channels)) this.#openChannel(label, options);
    if (stream) for (const track of stream.getTracks()) this.pc.addTrack(track, stream);
    // Not every platform asks for the first negotiation by an event.
    if (stream || this.#channels.size > 0) this.#negotiate();
  }

  /** Waits for the first answer; a negotiation that goes wrong is told by `lost`. */
  negotiated(): Promise<void> {
    return this.#negotiated.promise;
  }

  /** Waits until media and messages can flow. @throws {NoUdp} if no packet gets through */
  connected(): Promise<void> {
    return untilConnected(this.pc);
  }

  /** Sends other tracks from now on: in place of those of the same kind, or negotiated if there were none. */
  async setStream(stream: Stream | null): Promise<void> {
    for (const kind of ['audio', 'video']) {
      const track = stream?.getTracks().find((candidate) => candidate.kind === kind) ?? null;
      const transceiver = this.pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
      if (transceiver) await transceiver.sender.replaceTrack(track);
      else if (track && stream) this.pc.addTrack(track, stream);
    }
  }

  /** @returns false if the channel isn't open, or a megabyte waits in it already */
  send(data: string | ArrayBuffer, label = 'reliable'): boolean {
    const channel = this.#channels.get(label);
    if (channel?.readyState !== 'open' || channel.bufferedAmount > BUFFERED_MAX) return false;
    // One call for each type: the browser's `send` has no signature for either.
    if (typeof data === 'string') channel.send(data);
    else channel.send(data);
    return true;
  }

  /** Closes the PeerConnection and ends the handle. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const off of this.#off) off();
    this.pc.close();
    this.handle.detach().catch(() => {});
  }

  /** An offer that is due but not made yet will have all that changes until then. */
  #negotiate(): void {
    if (this.#offerDue) return;
    this.#offerDue = true;
    this.#negotiations
      .add(() => this.#offer())
      .then(this.#negotiated.resolve, (error) => this.#lost.resolve(asError(error)));
  }

  async #offer(): Promise<void> {
    if (this.#closed) return;
    await this.pc.setLocalDescription(await this.pc.createOffer());
    this.#offerDue = false;
    const offer = this.pc.localDescription;
    if (!offer) return;
    const answer = await this.handle.offer(offer.sdp);
    if (this.#closed) return;
    await this.pc.setRemoteDescription(answer);
    this.#candidates.release();
  }

  #openChannel(label: string, options: ChannelOptions): void {
    const channel = this.pc.createDataChannel(label, options);
    this.#channels.set(label, channel);
    this.#listen(channel);
    channel.addEventListener('open', () => this.emit('channel', { label, open: true }));
    channel.addEventListener('close', () => {
      this.emit('channel', { label, open: false });
      // An ICE restart is a new association for the server (RFC 8841 9.3): its channels end, the connection goes on.
      if (!this.#closed && this.pc.connectionState === 'connected') this.#openChannel(label, options);
    });
  }

  #listen(channel: Channel): void {
    channel.addEventListener('message', ({ data }: { data: unknown }) =>
      this.emit('message', { label: channel.label, data }),
    );
  }
}
