/** The relays that a load generator can drive, behind one interface: the real server and the bare loop; a third is in videoroom.ts. */

import { type LoadPublisher, type LoadSubscriber, LoadUser, type LoadUserOptions } from './load-user.js';
import { MediaPeer } from './media-peer.js';
import { readSdp, transportDescription } from './sdp.js';

export interface Relay {
  /** What comes before a user's first PeerConnection. */
  enter(room: string, user: string): Promise<void>;
  /**
   * @param ssrcs of its audio and video
   * @param data with a data channel
   */
  publish(room: string, user: string, ssrcs: { audio: number; video: number }, data: boolean): Promise<LoadPublisher>;
  subscribe(room: string, user: string, source: string): Promise<LoadSubscriber>;
  close(): Promise<void>;
}

/** The real server: one WebSocket and Janus session per user. */
export class JanusRelay implements Relay {
  readonly #url: string;
  readonly #options: LoadUserOptions;
  readonly #users = new Map<string, Promise<LoadUser>>();

  constructor(url: string, options: LoadUserOptions) {
    this.#url = url;
    this.#options = options;
  }

  async enter(room: string, id: string): Promise<void> {
    await this.#user(room, id);
  }

  async publish(
    room: string,
    id: string,
    ssrcs: { audio: number; video: number },
    data: boolean,
  ): Promise<LoadPublisher> {
    return (await this.#user(room, id)).publish(ssrcs, data);
  }

  async subscribe(room: string, id: string, source: string): Promise<LoadSubscriber> {
    return (await this.#user(room, id)).subscribe(source);
  }

  async close(): Promise<void> {
    const users = await Promise.allSettled(this.#users.values());
    await Promise.all(users.map((user) => (user.status === 'fulfilled' ? user.value.close() : undefined)));
  }

  #user(room: string, id: string): Promise<LoadUser> {
    const known = this.#users.get(id) ?? LoadUser.connect(this.#url, room, id, this.#options);
    this.#users.set(id, known);
    return known;
  }
}

const barePayloadTypes = { audio: 111, video: 102 };

/** The bare loop of bench/bare-loop.ts. */
export class BareRelay implements Relay {
  readonly #url: string;
  readonly #publishers = new Map<string, number>();
  readonly #peers: MediaPeer[] = [];

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  async enter(): Promise<void> {}

  async publish(_room: string, id: string): Promise<LoadPublisher> {
    const started = performance.now();
    const peer = this.#peer(id);
    const sdp = transportDescription({ ...(await peer.offer()), setup: 'actpass' }, false);
    const reply = await this.#post('/publish', { sdp });
    this.#publishers.set(id, Number(reply.publisher));
    peer.acceptAnswer(readSdp(String(reply.sdp)).transport);
    await peer.ready;
    return { peer, payloadTypes: barePayloadTypes, messages: null, setup: performance.now() - started };
  }

  async subscribe(_room: string, id: string, source: string): Promise<LoadSubscriber> {
    const started = performance.now();
    const peer = this.#peer(id);
    const reply = await this.#post('/subscribe', { publisher: this.#publishers.get(source) });
    const remote = readSdp(String(reply.sdp)).transport;
    const sdp = transportDescription(await peer.answer(remote, false), false);
    await this.#post('/answer', { subscriber: reply.subscriber, sdp });
    peer.connectTo(remote);
    await peer.ready;
    return { peer, payloadTypes: barePayloadTypes, videoSsrc: 0, setup: performance.now() - started };
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }

  #peer(name: string): MediaPeer {
    const peer = new MediaPeer(name);
    this.#peers.push(peer);
    return peer;
  }

  async #post(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
    const response = await fetch(this.#url + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }
}
