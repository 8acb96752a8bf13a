/**
 * A PeerConnection of node-datachannel for clients that bring none: it negotiates with its own SDP, as the library
 * writes it, and keeps what it receives.
 */
import { Audio, cleanup, type DataChannel, PeerConnection, type Track, Video } from 'node-datachannel';
import { isRtcp, NumberedStream, readNumberedPayload, readRtpHeader } from '../../bench/load/rtp.js';
import type { MediaKind } from '../../workers/protocol.js';
import { Observable } from './observable.js';

/**
 * Wrappers that the library still lists. One that is collected before its close was announced is freed memory to
 * cleanup().
 */
const listed = new Set<Track | DataChannel>();
const closures = new Observable();

function keepUntilClosed(wrapper: Track | DataChannel): void {
  listed.add(wrapper);
  wrapper.onClosed(
    guarded(() => {
      // Not at once: the library touches the wrapper after this callback returns.
      setImmediate(() => {
        listed.delete(wrapper);
        closures.changed();
      });
    }),
  );
}

/** Ends the library's threads, when all peers are closed: without it the process doesn't end, or aborts. */
export async function endNativePeers(): Promise<void> {
  await closures.until(() => listed.size === 0, 'every track and channel says that it is closed');
  cleanup();
}

export interface Heard {
  label: string;
  data: string | Buffer;
}

const AUDIO = { payloadType: 111, codec: 'opus', payloadBytes: 88, packetsPerSecond: 50 } as const;
const VIDEO = { payloadType: 102, codec: 'h264', payloadBytes: 1000, packetsPerSecond: 50 } as const;
const H264 = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';

/** Callbacks run on the library's own call stack, where a throw aborts the process. */
function guarded<Values extends unknown[]>(callback: (...values: Values) => void): (...values: Values) => void {
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

export interface LocalCandidate {
  candidate: string;
  sdpMid: string;
  sdpMLineIndex: number;
}

export class NativePeer extends Observable {
  /** Its own candidates, as a page's `icecandidate` events bring them. */
  readonly candidates: LocalCandidate[] = [];
  /** The numbers of the packets that came, of each kind and publisher's tag. */
  readonly received: { kind: MediaKind; tag: number; number: number }[] = [];
  readonly heard: Heard[] = [];
  #connection: PeerConnection;
  #tracks: Track[] = [];
  #sending: { track: Track; stream: NumberedStream }[] = [];
  #channels = new Map<string, DataChannel>();
  #state = 'new';
  #timer: NodeJS.Timeout | null = null;
  /** Candidates that came before the other side's description. */
  #early: string[] | null = [];

  constructor(name: string) {
    super();
    this.#connection = new PeerConnection(name, {
      iceServers: [],
      bindAddress: '127.0.0.1',
      disableAutoNegotiation: true,
    });
    this.#connection.onStateChange(
      guarded((state) => {
        this.#state = state;
        this.changed();
      }),
    );
    this.#connection.onGatheringStateChange(guarded(() => this.changed()));
    this.#connection.onLocalCandidate(
      guarded((candidate, sdpMid) => {
        this.candidates.push({ candidate, sdpMid, sdpMLineIndex: 0 });
      }),
    );
    this.#connection.onTrack(guarded((track) => this.#listen(track)));
    this.#connection.onDataChannel(guarded((channel) => this.#keep(channel)));
  }

  get state(): string {
    return this.#state;
  }

  /**
   * Offers to send Opus and H264, and channels of these labels.
   * @param tag says in each packet whose it is
   */
  async offer(tag: number, labels: string[]): Promise<string> {
    const audio = new Audio('audio', 'SendOnly');
    audio.addOpusCodec(AUDIO.payloadType);
    const video = new Video('video', 'SendOnly');
    video.addH264Codec(VIDEO.payloadType, H264);
    for (const [media, settings, ssrc] of [
      [audio, AUDIO, tag * 2],
      [video, VIDEO, tag * 2 + 1],
    ] as const) {
      media.addSSRC(ssrc, `user${tag}`, `user${tag}`, settings.codec);
      const track = this.#connection.addTrack(media);
      this.#listen(track);
      this.#sending.push({ track, stream: new NumberedStream({ ...settings, ssrc, tag }) });
    }
    for (const label of labels) this.#keep(this.#connection.createDataChannel(label));
    return this.#describe('offer');
  }

  accept(answer: string): void {
    this.#connection.setRemoteDescription(answer, 'answer');
    this.#takeEarly();
  }

  async answer(offer: string): Promise<string> {
    this.#connection.setRemoteDescription(offer, 'offer');
    this.#takeEarly();
    return this.#describe('answer');
  }

  /** A candidate of the other side that came apart from its description. */
  addCandidate(candidate: string): void {
    if (this.#early) this.#early.push(candidate);
    else this.#connection.addRemoteCandidate(candidate, '0');
  }

  /** Sends a packet of each stream 50 times a second; the video is all keyframes. */
  start(): void {
    this.#timer = setInterval(() => {
      for (const { track, stream } of this.#sending) {
        if (track.isOpen()) track.sendMessageBinary(stream.next(true, performance.now()));
      }
    }, 20);
  }

  /** Sends a message when the channel is open. */
  async say(label: string, message: string | Buffer): Promise<void> {
    await this.until(() => this.#channels.get(label)?.isOpen() === true, `channel ${label} is open`);
    const channel = this.#channels.get(label);
    if (typeof message === 'string') channel?.sendMessage(message);
    else channel?.sendMessageBinary(message);
  }

  /** Waits for `count` packets of a kind from the publisher of a tag. */
  async receive(kind: MediaKind, tag: number, count: number): Promise<void> {
    const got = () => this.received.filter((packet) => packet.kind === kind && packet.tag === tag).length;
    await this.until(() => got() >= count, `${count} ${kind} packets of ${tag}`);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    // By itself too: a track that only its connection closes keeps its callbacks, and with them the process.
    for (const track of this.#tracks) track.close();
    this.#connection.close();
  }

  async #describe(type: 'offer' | 'answer'): Promise<string> {
    this.#connection.setLocalDescription(type);
    await this.until(() => this.#connection.gatheringState() === 'complete', 'candidates are gathered');
    const description = this.#connection.localDescription();
    if (!description) throw new Error('node-datachannel has no local description');
    return description.sdp;
  }

  #takeEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const candidate of early) this.#connection.addRemoteCandidate(candidate, '0');
  }

  #listen(track: Track): void {
    this.#tracks.push(track);
    keepUntilClosed(track);
    const kind: MediaKind = track.type() === 'audio' ? 'audio' : 'video';
    track.onMessage(
      guarded((packet) => {
        if (isRtcp(packet)) return;
        const { payloadAt } = readRtpHeader(packet);
        const { tag, number } = readNumberedPayload(packet, payloadAt, kind === 'audio' ? 'opus' : 'h264');
        this.received.push({ kind, tag, number });
        this.changed();
      }),
    );
  }

  #keep(channel: DataChannel): void {
    const label = channel.getLabel();
    this.#channels.set(label, channel);
    keepUntilClosed(channel);
    channel.onOpen(guarded(() => this.changed()));
    channel.onMessage(
      guarded((message) => {
        this.heard.push({ label, data: typeof message === 'string' ? message : Buffer.from(message as ArrayBuffer) });
        this.changed();
      }),
    );
    this.changed();
  }
}
