/** One PeerConnection: the shard's only user of node-datachannel's objects. */
import type { Certificate } from './certificate.js';
import type { Endings } from './endings.js';
import {
  type DataChannel,
  guard,
  type Native,
  type NativeCandidate,
  type NativePeerConnection,
  type Report,
  type Track,
} from './native.js';
import { forgetOpening, whenOpen } from './opening.js';
import type { PeerState, SelectedCandidate, TransportParameters } from './protocol.js';
import { DATA_MID, dtlsRole, MEDIA_MID, readLocalDescription, writeRemoteDescription } from './transport-sdp.js';

/** What a peer tells its owner; each is called from a guarded native callback. */
export interface PeerListener {
  /** DTLS is done: packets may be sent. Once per peer. */
  connected(): void;
  /** The peer ended without close() having been called; `reason` is one of Janus' hangup texts. Once per peer. */
  ended(reason: string): void;
  /** A decrypted RTP or RTCP packet (RFC 5761: told apart by its second byte). */
  packet(bytes: Buffer): void;
  /** A message on one of the client's data channels: a string was text (PPID 51), a Buffer binary (PPID 53). */
  message(channel: DataChannel, content: string | Buffer): void;
  /** The client opened a channel, or one of ours is open now. */
  channelOpen(channel: DataChannel): void;
  channelClosed(channel: DataChannel): void;
}

export interface PeerOptions {
  native: Native;
  /** The shard's UDP port, shared by all its peers. */
  port: number;
  listener: PeerListener;
  report: Report;
  /** The shard's, of all its peers. */
  endings: Endings;
}

/** What an offer of ours said of our side. */
export interface OfferedTransport {
  iceUfrag: string;
  icePwd: string;
  certificate: Certificate;
}

/** An id that no browser takes by itself: the channel exists only to put an application line into our offers. */
const OFFER_CHANNEL_ID = 1022;
/** Bytes of one data channel message, RFC 8841 max-message-size: libdatachannel's and Chrome's limit. */
const MAX_MESSAGE_SIZE = 262_144;
/** Channels that one client may have open; more are closed at once (Janus: 150). */
const MAX_CHANNELS = 32;

/**
 * Every native object from its making until it said `closed`. The addon keeps plain pointers to its wrappers, drops them
 * only after that callback, and follows them in cleanup(): a wrapper that is collected earlier, or that nobody asked
 * for `closed`, crashes the process at its end.
 */
const alive = new Set<object>();

/** Holds an object; called on its way out, it lets go once native code is done with the callback that it stands in. */
function release(object: object): void {
  setImmediate(() => alive.delete(object));
}

/**
 * Janus' hangup text for a state in which libdatachannel ends a PeerConnection. Of one that was connected only ICE can
 * fail (consent, RFC 7675). Of one that was not it is DTLS: without candidates of the client there is nothing that ICE
 * could give up on by itself.
 */
function endReason(state: string, wasConnected: boolean): string {
  return state === 'failed' && wasConnected ? 'ICE failed' : 'DTLS alert';
}

function selected(candidate: NativeCandidate): SelectedCandidate {
  const { address, port, type, transportType } = candidate;
  return { address, port, type: type.toLowerCase(), protocol: transportType.toLowerCase() };
}

/** By whether there is a data line. */
const offeredMids = new Map<boolean, string[]>();

export class Peer {
  private readonly connection: NativePeerConnection;
  private readonly track: Track;
  private readonly listener: PeerListener;
  private readonly report: Report;
  private readonly endings: Endings;
  /** Strong references: the addon's wrappers are weak. */
  private readonly channels = new Set<DataChannel>();
  private data: boolean;
  private sending = false;
  private over = false;

  private constructor(options: PeerOptions, data: boolean, certificate: Certificate | null) {
    const { native, port, listener, report, endings } = options;
    this.listener = listener;
    this.report = report;
    this.endings = endings;
    this.data = data;
    this.connection = new native.PeerConnection('peer', {
      iceServers: [],
      enableIceUdpMux: true,
      portRangeBegin: port,
      portRangeEnd: port,
      disableAutoNegotiation: true,
      maxMessageSize: MAX_MESSAGE_SIZE,
      ...(certificate && { certificatePemFile: certificate.certificatePem, keyPemFile: certificate.keyPem }),
    });
    alive.add(this.connection);
    this.connection.onStateChange(guard('state change', report, (state: string) => this.onState(state)));
    if (data) this.expectChannels();
    const video = new native.Video(MEDIA_MID, 'SendRecv');
    video.addVP8Codec(96);
    this.track = this.connection.addTrack(video);
    this.hold(this.track);
    this.track.onMessage(
      guard('packet', report, (bytes: Buffer) => {
        if (!this.over) listener.packet(bytes);
      }),
    );
  }

  /**
   * Makes the answering side for a client's offer.
   *
   * It has a certificate of its own: after an ICE restart the new fingerprint makes the browser start DTLS anew.
   *
   * @param data whether the offer has a data line
   * @throws Error if native code refuses the parameters or has no socket left; nothing stays behind
   */
  static answering(options: PeerOptions, remote: TransportParameters, data: boolean): Peer {
    return Peer.make(new Peer(options, data, null), ({ connection }) => {
      const mids = data ? [MEDIA_MID, DATA_MID] : [MEDIA_MID];
      connection.setRemoteDescription(writeRemoteDescription(remote, mids, data), 'offer');
      connection.setLocalDescription('answer');
    });
  }

  /**
   * Makes the offering side, once the client has answered.
   *
   * Not earlier: browsers check connectivity before their answer gets here, and libdatachannel would answer the checks,
   * even finish DTLS, and then not know the fingerprint to hold the client's certificate against.
   *
   * @param local what our offer said
   * @param remote the client's answer
   * @param data whether the answer took the data line
   * @throws Error as answering()
   */
  static offering(options: PeerOptions, local: OfferedTransport, remote: TransportParameters, data: boolean): Peer {
    return Peer.make(new Peer(options, data, local.certificate), (peer) => {
      const { connection } = peer;
      const channel = data ? connection.createDataChannel('', { negotiated: true, id: OFFER_CHANNEL_ID }) : null;
      if (channel) peer.hold(channel);
      connection.setLocalDescription('offer', { iceUfrag: local.iceUfrag, icePwd: local.icePwd });
      connection.setRemoteDescription(writeRemoteDescription(remote, peer.offeredMids(data), data), 'answer');
      // Its line is negotiated; each callback that stays registered costs at every packet.
      channel?.close();
      // With a data line the state becomes `connected` two round trips later, when SCTP is up: media needn't wait for it.
      whenOpen(
        peer.track,
        guard('track open', options.report, () => peer.up()),
      );
    });
  }

  /**
   * Takes the shard's UDP port, and the files that native code needs for its first peer, and keeps them until close(). Later
   * there may be none left, and native code that failed to get them takes the process down at its end.
   */
  static keeper(options: Omit<PeerOptions, 'listener'>): Peer {
    const nothing = () => {};
    const listener: PeerListener = {
      connected: nothing,
      ended: nothing,
      packet: nothing,
      message: nothing,
      channelOpen: nothing,
      channelClosed: nothing,
    };
    return Peer.make(new Peer({ ...options, listener }, false, null), ({ connection }) => {
      connection.setLocalDescription('offer');
    });
  }

  private static make(peer: Peer, negotiate: (peer: Peer) => void): Peer {
    try {
      negotiate(peer);
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  /** The lines of our offer, as libdatachannel has named and ordered them: the same in each one, so that it is read once. */
  private offeredMids(data: boolean): string[] {
    const known = offeredMids.get(data) ?? readLocalDescription(this.localSdp()).mids;
    offeredMids.set(data, known);
    return known;
  }

  private localSdp(): string {
    const description = this.connection.localDescription();
    if (!description) throw new Error('libdatachannel made no local description');
    return description.sdp;
  }

  /** Our side's parameters. */
  local(): TransportParameters {
    return readLocalDescription(this.localSdp()).transport;
  }

  /** The client's later offer has a data line for the first time: SCTP starts on the DTLS that is there. */
  addData(remote: TransportParameters): void {
    if (this.data) return;
    this.data = true;
    this.expectChannels();
    this.connection.setRemoteDescription(writeRemoteDescription(remote, [MEDIA_MID, DATA_MID], true), 'offer');
    this.connection.setLocalDescription('answer');
  }

  /** What native code tells of the connection now. */
  inspect(): PeerState {
    const { connection } = this;
    const pair = connection.getSelectedCandidatePair();
    const { algorithm, value } = connection.remoteFingerprint();
    const local = this.local();
    return {
      state: connection.state(),
      iceState: connection.iceState(),
      connected: this.sending,
      dtlsRole: dtlsRole(local.setup, connection.remoteDescription()?.sdp ?? ''),
      localFingerprint: local.fingerprint,
      remoteFingerprint: { algorithm, value },
      selectedPair: pair && { local: selected(pair.local), remote: selected(pair.remote) },
      dataBytesSent: connection.bytesSent(),
      dataBytesReceived: connection.bytesReceived(),
    };
  }

  get connected(): boolean {
    return this.sending;
  }

  /** Sends an RTP or RTCP packet; false if it was dropped (not connected, or the socket would block). */
  send(packet: Buffer): boolean {
    if (!this.sending) return false;
    try {
      return this.track.sendMessageBinary(packet);
    } catch {
      return false;
    }
  }

  /** Opens a reliable, ordered channel to a client that has none with this label; null when it has no data transport. */
  openChannel(label: string, protocol: string): DataChannel | null {
    if (!this.data || !this.sending || this.channels.size >= MAX_CHANNELS) return null;
    const channel = this.connection.createDataChannel(label, { protocol });
    this.watch(channel);
    return channel;
  }

  private expectChannels(): void {
    this.connection.onDataChannel(guard('data channel', this.report, (channel: DataChannel) => this.adopt(channel)));
  }

  private adopt(channel: DataChannel): void {
    if (this.over || this.channels.size >= MAX_CHANNELS) {
      this.hold(channel);
      channel.close();
      return;
    }
    this.watch(channel);
  }

  private watch(channel: DataChannel): void {
    this.channels.add(channel);
    this.hold(channel, () => {
      forgetOpening(channel);
      this.channels.delete(channel);
      if (!this.over) this.listener.channelClosed(channel);
    });
    channel.onMessage(
      guard('channel message', this.report, (content: string | Buffer | ArrayBuffer) => {
        if (this.over) return;
        this.listener.message(channel, content instanceof ArrayBuffer ? Buffer.from(content) : content);
      }),
    );
    whenOpen(
      channel,
      guard('channel open', this.report, () => {
        if (!this.over) this.listener.channelOpen(channel);
      }),
    );
  }

  /** Keeps a track or channel until it is closed, by whomever. */
  private hold(object: Track | DataChannel, closed: () => void = () => {}): void {
    alive.add(object);
    object.onClosed(
      guard('closed', this.report, () => {
        release(object);
        closed();
      }),
    );
  }

  private onState(state: string): void {
    if (state === 'closed') release(this.connection);
    if (this.over) return;
    if (state === 'connected') {
      this.up();
    } else if (state === 'closed' || state === 'failed') {
      const reason = endReason(state, this.sending);
      this.close();
      this.listener.ended(reason);
    }
  }

  private up(): void {
    if (this.over || this.sending) return;
    this.sending = true;
    this.listener.connected();
  }

  /**
   * Ends the PeerConnection; the client gets a DTLS close, a moment later where SCTP is just being set up. Also needed after
   * the client ended it, or cleanup() blocks.
   */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.sending = false;
    const data = this.data && this.track.isOpen();
    forgetOpening(this.track);
    for (const channel of this.channels) {
      forgetOpening(channel);
      channel.close();
    }
    this.channels.clear();
    this.track.close();
    this.endings.close(this.connection, data);
  }
}
