/**
 * A Janus with its own videoroom plugin, as a load generator drives it: the yardstick beside our server. One WebSocket and
 * session per user as there, and the videoroom's verbs: create, join, configure, start.
 */
import { deferred } from './deferred.js';
import type { LoadPublisher, LoadSubscriber } from './load-user.js';
import { MediaPeer } from './media-peer.js';
import type { Relay } from './relays.js';
import {
  announcedSsrc,
  publisherOffer,
  readSdp,
  type SessionDescription,
  subscriberAnswer,
  type Transport,
} from './sdp.js';
import { type Message, SignallingClient } from './signalling-client.js';

const PLUGIN = 'janus.plugin.videoroom';
/** Nothing that the plugin would limit: bits a second, publishers. */
const UNLIMITED = { bitrate: 0, publishers: 10_000 };

interface User {
  client: SignallingClient;
  session: number;
}

/** A handle of the videoroom; `feed` is what it publishes as. */
class VideoroomHandle {
  readonly #user: User;
  readonly id: number;
  readonly #up = deferred<void>();

  private constructor(user: User, id: number) {
    this.#user = user;
    this.id = id;
  }

  static async attach(user: User, byHandle: Map<number, VideoroomHandle>): Promise<VideoroomHandle> {
    const { data } = await user.client.request({ janus: 'attach', session_id: user.session, plugin: PLUGIN });
    const handle = new VideoroomHandle(user, data?.id ?? 0);
    byHandle.set(handle.id, handle);
    return handle;
  }

  async message(body: Record<string, unknown>, jsep?: { type: string; sdp: string }): Promise<Message> {
    const reply = await this.#user.client.request({
      ...this.#address(),
      janus: 'message',
      body,
      ...(jsep ? { jsep } : {}),
    });
    const { error, error_code: code } = reply.plugindata?.data ?? {};
    if (error !== undefined) throw new Error(`the videoroom refused ${body.request}: ${code} ${error}`);
    return reply;
  }

  /** Tells the own candidates, without which Janus waits, and waits for `webrtcup`. */
  async up(peer: MediaPeer, own: Transport, { lines }: SessionDescription): Promise<void> {
    const trickle = (candidate: object) => this.#user.client.tell({ ...this.#address(), janus: 'trickle', candidate });
    for (const candidate of own.candidates) trickle({ candidate, sdpMid: lines[0]?.mid ?? '', sdpMLineIndex: 0 });
    trickle({ completed: true });
    await Promise.all([peer.ready, this.#up.promise]);
  }

  receive({ janus }: Message): void {
    if (janus === 'webrtcup') this.#up.resolve();
  }

  #address() {
    return { session_id: this.#user.session, handle_id: this.id };
  }
}

export class VideoroomRelay implements Relay {
  readonly #url: string;
  readonly #bindAddress: string;
  readonly #users = new Map<string, Promise<User>>();
  readonly #handles = new Map<number, VideoroomHandle>();
  readonly #rooms = new Map<string, Promise<number>>();
  /** What the others subscribe to, by user. */
  readonly #feeds = new Map<string, number>();
  readonly #peers: MediaPeer[] = [];

  /** @param bindAddress the peers' own address: one that reaches where Janus has its */
  constructor(url: string, bindAddress: string) {
    this.#url = url;
    this.#bindAddress = bindAddress;
  }

  async enter(_room: string, user: string): Promise<void> {
    await this.#user(user);
  }

  async publish(
    room: string,
    id: string,
    ssrcs: { audio: number; video: number },
    data: boolean,
  ): Promise<LoadPublisher> {
    if (data) throw new Error('data messages are not measured with the videoroom');
    const started = performance.now();
    const handle = await VideoroomHandle.attach(await this.#user(id), this.#handles);
    const number = await this.#room(room, handle);
    const feed = this.#feeds.size + 1;
    this.#feeds.set(id, feed);
    await handle.message({ request: 'join', ptype: 'publisher', room: number, id: feed });
    const peer = this.#peer(id);
    const transport = await peer.offer();
    const lines = [
      { kind: 'audio' as const, mid: '0', ssrc: ssrcs.audio },
      { kind: 'video' as const, mid: '1', ssrc: ssrcs.video },
    ];
    const sdp = publisherOffer(transport, lines, 1, ['h264']);
    const { jsep } = await handle.message({ request: 'configure', audio: true, video: true }, { type: 'offer', sdp });
    const answer = readSdp(jsep?.sdp ?? '');
    peer.acceptAnswer(answer.transport);
    await handle.up(peer, transport, answer);
    const payloadType = (kind: string) => Number(answer.lines.find((line) => line.kind === kind)?.formats[0]);
    const payloadTypes = { audio: payloadType('audio'), video: payloadType('video') };
    return { peer, payloadTypes, messages: null, setup: performance.now() - started };
  }

  async subscribe(room: string, id: string, source: string): Promise<LoadSubscriber> {
    const started = performance.now();
    const handle = await VideoroomHandle.attach(await this.#user(id), this.#handles);
    const streams = [{ feed: this.#feeds.get(source) }];
    const number = await this.#room(room, handle);
    const { jsep } = await handle.message({ request: 'join', ptype: 'subscriber', room: number, streams });
    const offer = readSdp(jsep?.sdp ?? '');
    const peer = this.#peer(id);
    const transport = await peer.answer(offer.transport, false);
    const sdp = subscriberAnswer(offer, transport, 1);
    await handle.message({ request: 'start' }, { type: 'answer', sdp });
    peer.connectTo(offer.transport);
    await handle.up(peer, transport, offer);
    const line = (kind: string) => offer.lines.find((one) => one.kind === kind);
    const [audio, video] = [line('audio'), line('video')];
    return {
      peer,
      payloadTypes: { audio: Number(audio?.formats[0]), video: Number(video?.formats[0]) },
      videoSsrc: video ? announcedSsrc(video) : 0,
      setup: performance.now() - started,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
    const users = await Promise.allSettled(this.#users.values());
    await Promise.all(users.map((user) => (user.status === 'fulfilled' ? user.value.client.close() : undefined)));
  }

  #user(id: string): Promise<User> {
    const known = this.#users.get(id) ?? this.#open();
    this.#users.set(id, known);
    return known;
  }

  async #open(): Promise<User> {
    const client = await SignallingClient.open(this.#url);
    client.onEvent = (message) => this.#handles.get(message.sender ?? 0)?.receive(message);
    return { client, session: await client.create() };
  }

  /** The room's number, once it is made. */
  #room(name: string, handle: VideoroomHandle): Promise<number> {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = this.#rooms.size + 1;
    const made = handle
      .message({ request: 'create', room, ...UNLIMITED, audiocodec: 'opus', videocodec: 'h264' })
      .then(() => room);
    this.#rooms.set(name, made);
    return made;
  }

  #peer(name: string): MediaPeer {
    const peer = new MediaPeer(name, this.#bindAddress);
    this.#peers.push(peer);
    return peer;
  }
}
