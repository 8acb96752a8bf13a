/**
 * One user of a server under load: a WebSocket with a Janus session, a publisher's handle and subscribers' ones. It keeps
 * nothing of what it receives. (Tests that look at it have test/support/peer.ts.)
 */

import { WebSocket } from 'ws';
import { type Handle, Session } from '../../src/client/index.js';
import { ConnectionFailed, MediaPeer } from './media-peer.js';
import {
  announcedSsrc,
  publisherOffer,
  readSdp,
  type SessionDescription,
  subscriberAnswer,
  type Transport,
} from './sdp.js';

export interface LoadUserOptions {
  /** Its own address for media. */
  bindAddress?: string;
  /** For joining (AUTH_KEY). */
  token?: string;
  /** For each request (API_SECRET). */
  apiSecret?: string;
}

/** Data messages of a publisher; texts. */
export interface Messages {
  /** Through its data channel, to all other publishers of its room. */
  sendData(text: string): void;
  /** The same by way of the signalling. */
  sendSignalled(text: string): void;
  /** Called with those of the others, whichever way they came. */
  onMessage: (text: string) => void;
}

/** A connected publisher: where its RTP goes in, and as which payload types. */
export interface LoadPublisher {
  peer: MediaPeer;
  payloadTypes: { audio: number; video: number };
  /** Null without a data channel. */
  messages: Messages | null;
  /** Milliseconds from attaching to `webrtcup`. */
  setup: number;
}

/** A connected subscriber: where the RTP of its publisher comes out. */
export interface LoadSubscriber {
  peer: MediaPeer;
  payloadTypes: { audio: number; video: number };
  /** SSRC of the video, if announced: for reports. */
  videoSsrc: number;
  /** Milliseconds from attaching to `webrtcup`. */
  setup: number;
}

/** naf-janus-adapter's channel for what must arrive. */
const CHANNEL = { label: 'reliable' };
/** Milliseconds for which a PeerConnection may take until it is up, or its data channel until it is open. */
const CONNECT_LIMIT = 45_000;

/** Under load answers may take long, and many are waited for. */
const PATIENCE = { answerTimeoutMs: 120_000, waitingMax: 10_000 };

export class LoadUser {
  readonly #session: Session;
  readonly #room: string;
  readonly #id: string;
  readonly #options: LoadUserOptions;
  readonly #peers: MediaPeer[] = [];

  private constructor(session: Session, room: string, id: string, options: LoadUserOptions) {
    this.#session = session;
    this.#room = room;
    this.#id = id;
    this.#options = options;
  }

  static async connect(url: string, room: string, id: string, options: LoadUserOptions): Promise<LoadUser> {
    const { apiSecret } = options;
    const secret = apiSecret === undefined ? {} : { apiSecret };
    const session = await Session.open(url, { WebSocket, reconnect: false, ...PATIENCE, ...secret });
    return new LoadUser(session, room, id, options);
  }

  /**
   * In naf-janus-adapter's order: offer, `webrtcup`, join.
   * @param ssrcs of its audio and video
   * @param data with a data channel
   */
  publish(ssrcs: { audio: number; video: number }, data: boolean): Promise<LoadPublisher> {
    return this.#twice((handle, started) => this.#publish(handle, started, ssrcs, data));
  }

  subscribe(source: string): Promise<LoadSubscriber> {
    return this.#twice((handle, started) => this.#subscribe(handle, started, source));
  }

  async #publish(
    handle: Handle,
    started: number,
    ssrcs: { audio: number; video: number },
    data: boolean,
  ): Promise<LoadPublisher> {
    const peer = this.#peer();
    const connecting = new Connecting(handle, peer);
    const transport = await peer.offer(data ? [CHANNEL] : []);
    const lines = [
      { kind: 'audio' as const, mid: '0', ssrc: ssrcs.audio },
      { kind: 'video' as const, mid: '1', ssrc: ssrcs.video },
      ...(data ? [{ kind: 'application' as const, mid: '2' }] : []),
    ];
    const answer = readSdp((await handle.offer(publisherOffer(transport, lines, 1, ['h264']))).sdp);
    peer.acceptAnswer(answer.transport);
    await connecting.up(transport, answer);
    const setup = performance.now() - started;
    const messages = data ? await openMessages(handle, peer) : null;
    await handle.join({ ...this.#place(), subscribe: { data: true } });
    const payloadType = (kind: string) => Number(answer.lines.find((line) => line.kind === kind)?.formats[0]);
    return { peer, payloadTypes: { audio: payloadType('audio'), video: payloadType('video') }, messages, setup };
  }

  async #subscribe(handle: Handle, started: number, source: string): Promise<LoadSubscriber> {
    const joined = await handle.join({ ...this.#place(), subscribe: { media: source } });
    if (!joined.offer) throw new Error(`the subscription to ${source} came without an offer`);
    const offer = readSdp(joined.offer.sdp);
    const line = (wanted: string) => offer.lines.find(({ kind, port }) => kind === wanted && port !== 0);
    const [audio, video] = [line('audio'), line('video')];
    if (!audio || !video) throw new Error(`the offer of ${source} has not both audio and video`);
    const peer = this.#peer();
    const connecting = new Connecting(handle, peer);
    const transport = await peer.answer(offer.transport, line('application') !== undefined);
    await handle.answer(subscriberAnswer(offer, transport, 1));
    peer.connectTo(offer.transport);
    await connecting.up(transport, offer);
    const payloadTypes = { audio: Number(audio.formats[0]), video: Number(video.formats[0]) };
    return { peer, payloadTypes, videoSsrc: announcedSsrc(video), setup: performance.now() - started };
  }

  /** Of thousands of connections between two libdatachannels a few fail in the DTLS handshake: then once more. */
  async #twice<T>(connect: (handle: Handle, started: number) => Promise<T>): Promise<T> {
    const started = performance.now();
    const attempt = async () => {
      const handle = await this.#session.attach();
      try {
        return await connect(handle, started);
      } catch (error) {
        handle.detach().catch(() => {});
        throw error;
      }
    };
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error;
      return attempt();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
    this.#session.close();
  }

  #place() {
    return { room: this.#room, user: this.#id, token: this.#options.token ?? null };
  }

  #peer(): MediaPeer {
    const peer = new MediaPeer(this.#id, this.#options.bindAddress);
    this.#peers.push(peer);
    return peer;
  }
}

/** A PeerConnection that is to come up: both sides' candidates, and `webrtcup`. */
class Connecting {
  readonly #handle: Handle;
  readonly #peer: MediaPeer;
  readonly #told: Promise<void>;
  /** The server's candidates that came before its description was in place (full trickle). */
  readonly #early: string[] = [];
  #remote: Transport | null = null;

  /** To be made before anything is sent: events may be quicker than replies. */
  constructor(handle: Handle, peer: MediaPeer) {
    this.#handle = handle;
    this.#peer = peer;
    this.#told = new Promise((resolve, reject) => {
      handle.on('webrtcup', () => resolve());
      handle.on('hangup', ({ reason }) => reject(new ConnectionFailed(`the server hung up: ${reason}`)));
      handle.on('detached', ({ problem }) => reject(problem));
    });
    this.#told.catch(() => {});
    handle.on('trickle', (trickled) => {
      if ('candidate' in trickled) this.#take(trickled.candidate);
    });
  }

  /** Tells the own candidates, as a browser does, and waits until both sides are up. */
  async up(own: Transport, { transport, lines }: SessionDescription): Promise<void> {
    this.#remote = transport;
    for (const candidate of this.#early) this.#take(candidate);
    const sdpMid = lines[0]?.mid ?? '';
    for (const candidate of own.candidates) this.#handle.trickle({ candidate, sdpMid, sdpMLineIndex: 0 });
    this.#handle.trickle(null);
    await within(CONNECT_LIMIT, 'no webrtcup', Promise.all([this.#peer.ready, this.#told]));
  }

  #take(candidate: string): void {
    if (this.#remote) this.#peer.connectTo({ ...this.#remote, candidates: [candidate] });
    else this.#early.push(candidate);
  }
}

/** @throws {ConnectionFailed} when the milliseconds are over before */
async function within<T>(limit: number, what: string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionFailed(`${what} within ${limit / 1000} s`)), limit);
  });
  return Promise.race([wanted, over]).finally(() => clearTimeout(timer));
}

/** Waits for the data channel to be open. */
async function openMessages(handle: Handle, peer: MediaPeer): Promise<Messages> {
  const channel = peer.channels.get(CHANNEL.label);
  if (!channel) throw new Error('there is no data channel');
  const opened = new Promise<void>((resolve) => {
    peer.onChannel = (_label, open) => open && resolve();
    if (channel.isOpen()) resolve();
  });
  await within(CONNECT_LIMIT, 'no open data channel', opened);
  const messages: Messages = {
    sendData: (text) => channel.sendMessage(text),
    // One that is refused is missing at the receivers, and counted there.
    sendSignalled: (text) => void handle.data(text).catch(() => {}),
    onMessage: () => {},
  };
  peer.onData = (_label, text) => messages.onMessage(String(text));
  handle.on('data', ({ body }) => messages.onMessage(String(body)));
  return messages;
}
