import type { HandleDescription, ShardNews, ShardNumber } from '../../workers/protocol.js';
import type { Log } from '../observability/log.js';
import type { RemoteDescription } from '../sdp/parse.js';
import { readSubscriberAnswer, samePlan } from '../sdp/subscriber.js';
import type { PlacementHint } from '../shards/placement.js';
import type { Shards } from '../shards/pool.js';
import { type DescriptionSettings, Descriptions, midIn, newSsrcs } from './descriptions.js';
import type { LocalJsep, SfuHandle, SubscriberPeer } from './handle.js';
import { Mirrors } from './mirrors.js';
import type { Presence } from './presence.js';
import { Refusal } from './refusal.js';
import { RoomShards } from './room-shards.js';

const PUBLISHER_LEFT = 'The publisher left meanwhile.';

/** The handles' PeerConnections: which shard each lives on, what was offered, what the shards tell of them. */
export class Peers {
  readonly #shards: Pick<Shards, 'run' | 'place' | 'placeSubscriber' | 'onNews'>;
  readonly #descriptions: Descriptions;
  readonly #log: Log;
  readonly #handles = new Map<number, SfuHandle>();
  readonly #rooms: RoomShards;
  readonly #mirrors: Mirrors;
  readonly #presence: Pick<Presence, 'tellBlocks' | 'room'>;
  /** Workers in place of dead ones, which have not been told who blocks whom. */
  readonly #ignorant = new Set<ShardNumber>();
  #talkingListener: (handle: SfuHandle) => void = () => {};

  constructor(
    shards: Pick<Shards, 'run' | 'place' | 'placeSubscriber' | 'onNews'>,
    presence: Pick<Presence, 'tellBlocks' | 'room'>,
    settings: DescriptionSettings,
    log: Log,
  ) {
    this.#shards = shards;
    this.#presence = presence;
    this.#descriptions = new Descriptions(settings);
    this.#log = log;
    this.#rooms = new RoomShards((shard, room, members) =>
      this.#attempt(() => shards.run(shard, { type: 'set-room-shards', room, shards: members })),
    );
    this.#mirrors = new Mirrors(shards, (action) => this.#attempt(action));
    shards.onNews((shard, news) => this.#onNews(shard, news));
  }

  /** Told when a publisher's `talking` changed. */
  onTalking(listener: (handle: SfuHandle) => void): void {
    this.#talkingListener = listener;
  }

  get size(): number {
    return this.#handles.size;
  }

  handles(): IterableIterator<SfuHandle> {
    return this.#handles.values();
  }

  add(handle: SfuHandle): void {
    this.#handles.set(handle.number, handle);
  }

  find(number: number): SfuHandle | undefined {
    return this.#handles.get(number);
  }

  /** A client offers: makes its peer, or changes or replaces the one it has, and answers. */
  async acceptOffer(handle: SfuHandle, offer: RemoteDescription): Promise<LocalJsep> {
    if (handle.peer?.role === 'subscriber') {
      throw new Refusal('This handle subscribes to media; to publish, attach another handle.');
    }
    const plan = this.#descriptions.planPublisher(offer);
    const shard = await this.#settle(handle);
    if (handle.gone) throw new Refusal('The handle is gone.');
    const { local } = await this.#shards.run(shard, {
      type: 'accept-offer',
      handle: handle.number,
      remote: offer.transport,
      tracks: plan.tracks,
      data: plan.data,
    });
    if (!local) throw new Refusal('The media worker gave no transport for this offer.');
    if (!handle.gone) {
      handle.peer = { role: 'publisher', plan };
      handle.lastPlan = plan;
      await this.#tellRoom(handle);
      for (const subscriber of handle.subscribers) this.#renegotiate(subscriber);
    }
    return this.#descriptions.answer(handle, plan, local);
  }

  /** Makes the peer of a subscriber on its publisher's shard, or on one with a mirror of it, and the offer for it. */
  async subscribe(handle: SfuHandle, source: SfuHandle): Promise<LocalJsep> {
    if (handle.peer) throw new Refusal('This handle has a PeerConnection already; attach another one to subscribe.');
    if (source.gone) throw new Refusal(PUBLISHER_LEFT);
    const home = await this.#settle(source);
    const shard = this.#shards.placeSubscriber(home, source.mirrors);
    const isNew = handle.shard === null;
    const moved = this.#moveTo(handle, shard);
    // A shard is told of a new handle, and asked for its offer, in one message.
    if (isNew) moved.catch(() => {});
    else await moved;
    if (source.gone || handle.gone || source.shard !== home) throw new Refusal(PUBLISHER_LEFT);
    const ssrcs = newSsrcs();
    const plan = this.#descriptions.planSubscriber(source, ssrcs, true);
    const peer: SubscriberPeer = {
      role: 'subscriber',
      source,
      ssrcs,
      plan,
      local: null,
      answered: null,
      rtx: true,
      awaitsAnswer: true,
      outdated: false,
    };
    handle.peer = peer;
    source.subscribers.add(handle);
    try {
      await this.#mirrors.provide(source, shard);
      if (handle.peer !== peer) throw new Refusal(PUBLISHER_LEFT);
      const offered = this.#shards.run(shard, {
        type: 'make-offer',
        handle: handle.number,
        source: source.number,
        tracks: plan.tracks,
      });
      const [{ local }] = await Promise.all([offered, moved]);
      if (!local || handle.peer !== peer || source.gone) throw new Refusal(PUBLISHER_LEFT);
      peer.local = local;
    } catch (error) {
      this.#endPeer(handle);
      await this.#close(handle);
      throw error;
    }
    return this.#descriptions.offer(handle, peer.plan, peer.local);
  }

  awaitsAnswer(handle: SfuHandle): boolean {
    return handle.peer?.role === 'subscriber' && handle.peer.awaitsAnswer;
  }

  /** Reads an answer without acting on it; null if it fits the offer that is out, else Janus' code and text. */
  checkAnswer(handle: SfuHandle, answer: RemoteDescription): { code: number; reason: string } | null {
    if (handle.peer?.role !== 'subscriber') return null;
    const read = readSubscriberAnswer(answer, handle.peer.plan);
    return read.ok ? null : { code: read.code, reason: read.reason };
  }

  async acceptAnswer(handle: SfuHandle, answer: RemoteDescription): Promise<void> {
    const { peer } = handle;
    if (peer?.role !== 'subscriber') throw new Refusal('There is no offer that this answers.');
    const read = readSubscriberAnswer(answer, peer.plan);
    if (!read.ok) throw new Refusal(read.reason);
    const { transport: remote, kinds, data, rtx } = read;
    const planned = peer.plan;
    peer.awaitsAnswer = false;
    peer.rtx = rtx;
    peer.answered = { remote, kinds, data };
    await this.#sendAnswer(handle, peer);
    if (handle.peer !== peer) return;
    if (!rtx && planned.tracks.some((track) => track.rtxPayloadType !== null)) {
      // A client that didn't take RTX must not get retransmissions under a payload type that it doesn't know.
      peer.plan = this.#descriptions.planSubscriber(peer.source, peer.ssrcs, rtx);
      await this.#run(handle, { type: 'update-down-tracks', handle: handle.number, tracks: peer.plan.tracks });
      peer.outdated ||= !samePlan(planned, peer.plan);
    }
    if (peer.outdated && handle.peer === peer) this.#pushOffer(handle, peer);
  }

  /** The handle joined: its shard relays for it, now or as soon as something gives it one. */
  async join(handle: SfuHandle): Promise<void> {
    if (handle.shard === null) return;
    await this.#tellJoined(handle);
    await this.#tellRoom(handle);
    // What was answered before joining flows from now on: the user is known, and with it the blocks.
    if (handle.peer?.role === 'subscriber' && handle.peer.answered) await this.#sendAnswer(handle, handle.peer);
  }

  /** The handle left its room but lives on; its peer goes, and those of its subscribers. */
  async leave(handle: SfuHandle, room: number | null): Promise<void> {
    this.#endSubscribers(handle);
    this.#endPeer(handle);
    handle.lastPlan = null;
    const { shard } = handle;
    handle.shard = null;
    const mirrorsEnd = this.#mirrors.end(handle);
    if (shard !== null) await this.#attempt(() => this.#shards.run(shard, { type: 'forget', handle: handle.number }));
    await mirrorsEnd;
    if (room !== null && shard !== null) await this.#rooms.update(room, this.#handles.values());
  }

  /** The handle is gone for ever. */
  async remove(handle: SfuHandle, room: number | null): Promise<void> {
    this.#handles.delete(handle.number);
    await this.leave(handle, room);
  }

  /**
   * Ends the handle's PeerConnection as its client asked; a publisher's subscribers stay, for its next offer.
   *
   * @returns whether there was one
   */
  async hangup(handle: SfuHandle): Promise<boolean> {
    if (!handle.peer) return false;
    this.#endPeer(handle);
    await this.#close(handle);
    return true;
  }

  /** What the handle's shard knows of it; null if it lives on none. */
  async describe(handle: SfuHandle): Promise<HandleDescription | null> {
    if (handle.shard === null) return null;
    const { description } = await this.#shards.run(handle.shard, { type: 'describe', handle: handle.number });
    if (description) await this.#mirrors.complete(handle, description);
    return description ?? null;
  }

  requestKeyframe(handle: SfuHandle): void {
    if (handle.peer?.role !== 'publisher') return;
    const request = { type: 'request-keyframe', handle: handle.number } as const;
    void this.#attempt(() => this.#run(handle, request));
    for (const shard of handle.mirrors) void this.#attempt(() => this.#shards.run(shard, request));
  }

  /** A worker died: forgets what lived there. Returns the handles whose PeerConnections ended with it. */
  lose(shard: ShardNumber): SfuHandle[] {
    const there = [...this.#handles.values()].filter((handle) => handle.shard === shard);
    const lost = there.filter((handle) => handle.peer !== null);
    this.#mirrors.lose(shard, this.#handles.values());
    for (const handle of there) {
      this.#endPeer(handle);
      handle.shard = null;
    }
    // Subscribers of what lived there end too, wherever they are: what feeds them is gone.
    for (const handle of there) {
      this.#endSubscribers(handle);
      void this.#mirrors.end(handle);
    }
    this.#rooms.lose(shard);
    this.#ignorant.add(shard);
    return lost;
  }

  /** Fixes where a handle's peer lives, and tells that shard what it must know of the handle. */
  async #settle(handle: SfuHandle): Promise<ShardNumber> {
    if (handle.shard !== null) return handle.shard;
    const shard = this.#shards.place(this.#hint(handle));
    await this.#moveTo(handle, shard);
    return shard;
  }

  /** What is known of where the handle's room is, or will be. */
  #hint(handle: SfuHandle): PlacementHint {
    const { session, room, loopIndex } = handle.client;
    const near: ShardNumber[] = [];
    for (const { client, shard } of this.#handles.values()) {
      if (shard !== null && (client.session === session || (room !== null && client.room === room))) near.push(shard);
    }
    const number = handle.joined?.room ?? (room === null ? undefined : this.#presence.room(room));
    const home = number === undefined ? undefined : this.#rooms.home(number);
    return { near, ...(home === undefined ? {} : { home }), ...(loopIndex === null ? {} : { loopIndex }) };
  }

  async #moveTo(handle: SfuHandle, shard: ShardNumber): Promise<void> {
    if (handle.shard === shard) return;
    const old = handle.shard;
    handle.shard = shard;
    if (old !== null) await this.#shards.run(old, { type: 'forget', handle: handle.number });
    if (this.#ignorant.delete(shard)) await this.#presence.tellBlocks(shard);
    await this.#tellJoined(handle);
    await this.#tellRoom(handle);
  }

  async #tellJoined(handle: SfuHandle): Promise<void> {
    if (!handle.joined) return;
    await this.#run(handle, { type: 'join', handle: handle.number, ...handle.joined });
  }

  async #tellRoom(handle: SfuHandle): Promise<void> {
    if (handle.joined?.publisher) await this.#rooms.update(handle.joined.room, this.#handles.values());
  }

  async #sendAnswer(handle: SfuHandle, peer: SubscriberPeer): Promise<void> {
    if (!peer.answered) return;
    const { remote, kinds, data } = peer.answered;
    await this.#run(handle, {
      type: 'accept-answer',
      handle: handle.number,
      remote,
      kinds: handle.joined ? kinds : [],
      data,
    });
  }

  /** The publisher offered anew: the subscriber gets an offer if it must know something new. */
  #renegotiate(handle: SfuHandle): void {
    const { peer } = handle;
    if (peer?.role !== 'subscriber') return;
    const plan = this.#descriptions.planSubscriber(peer.source, peer.ssrcs, peer.rtx);
    if (samePlan(plan, peer.plan)) return;
    peer.plan = plan;
    void this.#attempt(() =>
      this.#run(handle, { type: 'update-down-tracks', handle: handle.number, tracks: plan.tracks }),
    );
    // One offer at a time (RFC 8829 4.1.8.1): the next one waits for the answer to the one that is out.
    if (peer.awaitsAnswer) peer.outdated = peer.local !== null;
    else this.#pushOffer(handle, peer);
  }

  #pushOffer(handle: SfuHandle, peer: SubscriberPeer): void {
    if (!peer.local) return;
    peer.outdated = false;
    peer.awaitsAnswer = true;
    handle.sink.event({}, this.#descriptions.offer(handle, peer.plan, peer.local));
  }

  /** Forgets the peer's state here; closing it on its shard is another step. */
  #endPeer(handle: SfuHandle): void {
    if (handle.peer?.role === 'subscriber') {
      const { source } = handle.peer;
      source.subscribers.delete(handle);
      handle.subscription = null;
      void this.#mirrors.release(source);
    }
    handle.peer = null;
    this.#setTalking(handle, false);
  }

  #setTalking(handle: SfuHandle, talking: boolean): void {
    if (handle.talking === talking) return;
    handle.talking = talking;
    this.#talkingListener(handle);
  }

  /** A publisher that is gone takes its subscribers' PeerConnections with it: they have no other use. */
  #endSubscribers(source: SfuHandle): void {
    for (const subscriber of [...source.subscribers]) {
      this.#endPeer(subscriber);
      void this.#close(subscriber);
      subscriber.sink.hangup('Close PC');
    }
  }

  #close(handle: SfuHandle): Promise<void> {
    return this.#attempt(() => this.#run(handle, { type: 'close-peer', handle: handle.number }));
  }

  async #run(handle: SfuHandle, request: Parameters<Shards['run']>[1]): Promise<void> {
    if (handle.shard === null) throw new Refusal('The media worker of this handle has ended.');
    await this.#shards.run(handle.shard, request);
  }

  /** For what nobody waits for: a failure is logged. */
  async #attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#log('warn', 'a media worker refused', { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #onNews(shard: ShardNumber, news: ShardNews): void {
    if (news.type === 'fault') {
      const { where, message } = news;
      this.#log('error', 'a fault was contained in a media worker', { shard, handle: news.handle, where, message });
      return;
    }
    const handle = this.#handles.get(news.handle);
    // News crosses with requests: what it is about may have ended meanwhile.
    if (!handle?.peer || handle.shard !== shard) return;
    switch (news.type) {
      case 'webrtcup':
        handle.sink.webrtcup();
        break;
      case 'media':
        handle.sink.media(midIn(handle.peer, news.kind), news.kind, news.receiving);
        break;
      case 'talking':
        this.#setTalking(handle, news.talking);
        break;
      case 'slowlink':
        handle.sink.slowlink(midIn(handle.peer, news.kind), news.kind, news.uplink, news.lost);
        break;
      case 'hangup':
        this.#endPeer(handle);
        handle.sink.hangup(news.reason);
        break;
      default:
        news satisfies never;
    }
  }
}
