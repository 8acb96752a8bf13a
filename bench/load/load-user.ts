/**
 * One user of a server under load: a WebSocket with a Janus session, a publisher's handle and subscribers' ones. It keeps
 * nothing of what it receives. (Tests that look at it have test/support/peer.ts.)
 */

import { WebSocket } from 'ws';
import { Session } from '../../src/client/index.js';
import { ConnectionFailed, MediaPeer } from './media-peer.js';
import { announcedSsrc, publisherOffer, readSdp, subscriberAnswer } from './sdp.js';

export interface LoadUserOptions {
  /** Its own address for media. */
  bindAddress?: string;
  /** For joining (AUTH_KEY). */
  token?: string;
  /** For each request (API_SECRET). */
  apiSecret?: string;
}

/** A connected publisher: where its RTP goes in, and as which payload types. */
export interface LoadPublisher {
  peer: MediaPeer;
  payloadTypes: { audio: number; video: number };
}

/** A connected subscriber: where the RTP of its publisher comes out. */
export interface LoadSubscriber {
  peer: MediaPeer;
  payloadTypes: { audio: number; video: number };
  /** SSRC of the video, if announced: for reports. */
  videoSsrc: number;
}

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

  /** @param ssrcs of its audio and video */
  async publish(ssrcs: { audio: number; video: number }): Promise<LoadPublisher> {
    const handle = await this.#session.attach();
    const peer = this.#peer();
    const transport = await peer.offer();
    const lines = [
      { kind: 'audio' as const, mid: '0', ssrc: ssrcs.audio },
      { kind: 'video' as const, mid: '1', ssrc: ssrcs.video },
    ];
    const answer = readSdp((await handle.offer(publisherOffer(transport, lines, 1, ['h264']))).sdp);
    peer.acceptAnswer(answer.transport);
    await peer.ready;
    await handle.join({ ...this.#place(), subscribe: { data: true } });
    const payloadType = (kind: string) => Number(answer.lines.find((line) => line.kind === kind)?.formats[0]);
    return { peer, payloadTypes: { audio: payloadType('audio'), video: payloadType('video') } };
  }

  /** Of thousands of connections between two libdatachannels a few fail in the DTLS handshake: then once more. */
  async subscribe(source: string): Promise<LoadSubscriber> {
    try {
      return await this.#subscribe(source);
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error;
      return this.#subscribe(source);
    }
  }

  async #subscribe(source: string): Promise<LoadSubscriber> {
    const handle = await this.#session.attach();
    const joined = await handle.join({ ...this.#place(), subscribe: { media: source } });
    if (!joined.offer) throw new Error(`the subscription to ${source} came without an offer`);
    const offer = readSdp(joined.offer.sdp);
    const peer = this.#peer();
    const hasData = offer.lines.some(({ kind, port }) => kind === 'application' && port !== 0);
    const transport = await peer.answer(offer.transport, hasData);
    await handle.answer(subscriberAnswer(offer, transport, 1));
    peer.connectTo(offer.transport);
    await peer.ready;
    const line = (wanted: string) => offer.lines.find(({ kind, port }) => kind === wanted && port !== 0);
    const [audio, video] = [line('audio'), line('video')];
    if (!audio || !video) throw new Error(`the offer of ${source} has not both audio and video`);
    const payloadTypes = { audio: Number(audio.formats[0]), video: Number(video.formats[0]) };
    return { peer, payloadTypes, videoSsrc: announcedSsrc(video) };
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
