import { Removed } from './errors.js';
import type { JanusHandle, PluginData, Signal } from './janus-connection.js';
import { asError, type Deferred, deferred, makePeer, TaskQueue, untilConnected } from './peer.js';

/** What travels on the data channels: the form that networked-aframe's adapter uses too. */
export interface DataMessage {
  dataType: string;
  data: unknown;
}

/** The label of the ordered channel; the other one of the pair is "unreliable". */
const RELIABLE = 'reliable';
const UNRELIABLE = 'unreliable';

export interface PublisherEvents {
  /** News of the room: join, leave, blocked, unblocked, data. */
  roomEvent(data: PluginData): void;
  message(message: DataMessage): void;
}

/**
 * What this page sends: its audio, video and data channels, and its place in the room.
 * The first offer has whatever there is by then; what comes later is negotiated anew.
 */
export class Publisher {
  readonly pc: RTCPeerConnection;
  /** Resolves when the PeerConnection is of no more use: failed, hung up by the server, or kicked. */
  readonly lost: Promise<Error>;
  readonly #lost: Deferred<Error> = deferred();
  readonly #negotiated: Deferred<void> = deferred();
  readonly #handle: JanusHandle;
  readonly #events: PublisherEvents;
  readonly #negotiations = new TaskQueue();
  #reliable: RTCDataChannel;

  constructor(handle: JanusHandle, iceServers: RTCIceServer[], stream: MediaStream | null, events: PublisherEvents) {
    this.lost = this.#lost.promise;
    this.#handle = handle;
    this.#events = events;
    this.pc = makePeer(handle, iceServers);
    handle.onSignal = (signal) => this.#receive(signal);
    this.pc.addEventListener('negotiationneeded', () => {
      this.#negotiations
        .add(() => this.#offer())
        .then(this.#negotiated.resolve, (error) => this.#lost.resolve(asError(error)));
    });
    this.pc.addEventListener('connectionstatechange', () => {
      if (this.pc.connectionState === 'failed') this.#lose('The connection for audio and video was lost.');
    });
    this.pc.addEventListener('datachannel', ({ channel }) => this.#listen(channel));
    this.#reliable = this.#openChannel(RELIABLE, { ordered: true });
    this.#openChannel(UNRELIABLE, { ordered: false, maxRetransmits: 0 });
    for (const track of stream?.getTracks() ?? []) this.pc.addTrack(track, stream as MediaStream);
  }

  /** Waits for the first answer; a negotiation that goes wrong is told by `lost`. */
  negotiated(): Promise<void> {
    return this.#negotiated.promise;
  }

  /** Waits until media and messages can flow. */
  connected(): Promise<void> {
    return untilConnected(this.pc);
  }

  /** Joins the room and returns the ids of those who are there already. */
  async join(room: string, user: string, token: string | null): Promise<string[]> {
    const { data } = await this.#handle.message({
      kind: 'join',
      room_id: room,
      user_id: user,
      subscribe: { notifications: true, data: true },
      ...(token === null ? {} : { token }),
    });
    return (data.response?.users?.[room] ?? []).filter((id) => id !== user);
  }

  block(user: string): Promise<unknown> {
    return this.#handle.message({ kind: 'block', whom: user });
  }

  unblock(user: string): Promise<unknown> {
    return this.#handle.message({ kind: 'unblock', whom: user });
  }

  /** Sends other tracks from now on: in place of those of the same kind, or negotiated if there were none. */
  async setStream(stream: MediaStream | null): Promise<void> {
    for (const kind of ['audio', 'video']) {
      const track = stream?.getTracks().find((candidate) => candidate.kind === kind) ?? null;
      const transceiver = this.pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
      if (transceiver) await transceiver.sender.replaceTrack(track);
      else if (track) this.pc.addTrack(track, stream as MediaStream);
    }
  }

  /** @returns false if the channel isn't open */
  send(message: DataMessage): boolean {
    if (this.#reliable.readyState !== 'open') return false;
    this.#reliable.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    this.#handle.onSignal = () => {};
    this.pc.close();
    this.#handle.detach();
  }

  async #offer(): Promise<void> {
    if (this.pc.signalingState === 'closed') return;
    await this.pc.setLocalDescription();
    const offer = this.pc.localDescription;
    if (!offer) return;
    const { jsep } = await this.#handle.message({}, { type: 'offer', sdp: offer.sdp });
    if (!jsep) throw new Error('The server answered the offer without a description.');
    await this.pc.setRemoteDescription(jsep);
  }

  #openChannel(label: string, options: RTCDataChannelInit): RTCDataChannel {
    const channel = this.pc.createDataChannel(label, options);
    this.#listen(channel);
    // An ICE restart is a new association for the server (RFC 8841 9.3): its channels end, the connection goes on.
    channel.addEventListener('close', () => {
      if (this.pc.connectionState !== 'connected') return;
      const again = this.#openChannel(label, options);
      if (label === RELIABLE) this.#reliable = again;
    });
    return channel;
  }

  #listen(channel: RTCDataChannel): void {
    channel.addEventListener('message', ({ data }) => {
      const message = parseMessage(data);
      if (message) this.#events.message(message);
    });
  }

  #lose(reason: string): void {
    this.#lost.resolve(new Error(reason));
  }

  #receive(signal: Signal): void {
    if (signal.janus === 'event' && signal.plugindata?.data.event) this.#events.roomEvent(signal.plugindata.data);
    if (signal.janus === 'hangup') this.#lose(`The server hung up: ${signal.reason ?? 'no reason given'}.`);
    if (signal.janus === 'detached') this.#lost.resolve(new Removed());
  }
}

/** Others' messages are theirs to write: what isn't ours to read is null. */
function parseMessage(data: unknown): DataMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message !== 'object' || message === null || !('dataType' in message) || !('data' in message))
      return null;
    return typeof message.dataType === 'string' ? { dataType: message.dataType, data: message.data } : null;
  } catch {
    return null;
  }
}
