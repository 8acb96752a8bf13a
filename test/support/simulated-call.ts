/**
 * The real engine, relay and feedback between simulated peers on simulated links: everything of a shard but sockets and
 * wall clock.
 */

import { createCounters, ShardCounters } from '../../workers/counters.js';
import { Feedback } from '../../workers/feedback.js';
import { indexOf, type Member, type MemberPeer, newMember } from '../../workers/member.js';
import type { Codec, HeaderExtensions, MediaKind, ShardNews, ShardSettings } from '../../workers/protocol.js';
import { Relay } from '../../workers/relay.js';
import { activateDownTracks, attachDownTracks } from '../../workers/subscriptions.js';
import { newTalking } from '../../workers/talking.js';
import { downParameters, PUBLISHER, Stage, upParameters } from './engine.js';
import { Clock, Link, type LinkConditions } from './network.js';
import { type PublisherOptions, SimulatedPublisher } from './simulated-publisher.js';
import { SimulatedSubscriber, type SubscriberOptions } from './simulated-subscriber.js';

/** Milliseconds between two ticks of a shard. */
const TICK = 50;

/** Of a shard that is simulated: no sockets, no limits. */
export const SIMULATED_SETTINGS: ShardSettings = {
  rtpPort: 0,
  videoBitrateMin: 150_000,
  videoBitrateMax: 2_500_000,
  dataBacklogMax: 0,
  unreliableLabels: [],
  noMediaTimeout: 0,
  connectTimeout: 0,
  loopDelayMax: 0,
  slowlinkThreshold: 0,
  addonFolders: [],
  batchScheduling: false,
  workerPinning: false,
};

export interface CallOptions extends PublisherOptions {
  seed?: number;
  codec?: Codec;
  /** From the publisher to the relay, and back. */
  uplink?: LinkConditions;
  uplinkBack?: LinkConditions;
}

export interface SubscribeOptions extends SubscriberOptions {
  downlink?: LinkConditions;
  downlinkBack?: LinkConditions;
  /** What it negotiated for video. */
  extensions?: HeaderExtensions;
}

/** A connected peer without anything native; `send` takes what it is sent. */
export function quietPeer(send: (packet: Buffer) => void): MemberPeer {
  const nothing = (): never => {
    throw new Error('a simulated peer negotiates nothing');
  };
  return {
    connected: true,
    send: (packet) => {
      send(packet);
      return true;
    },
    close: () => {},
    addData: () => {},
    openChannel: () => null,
    local: nothing,
    inspect: nothing,
  };
}

export interface Seat {
  readonly member: Member;
  readonly peer: SimulatedSubscriber;
  readonly downlink: Link;
  readonly back: Link;
}

export class SimulatedCall {
  readonly clock: Clock;
  readonly stage: Stage;
  readonly publisher: SimulatedPublisher;
  readonly uplink: Link;
  readonly uplinkBack: Link;
  readonly feedback: Feedback;
  readonly source: Member;
  /** What the shard would tell the main thread. */
  readonly news: ShardNews[] = [];
  readonly #relay: Relay;
  readonly #seed: number;
  #seats = 0;

  private constructor(stage: Stage, options: CallOptions) {
    this.stage = stage;
    this.clock = new Clock();
    this.#seed = options.seed ?? 1;
    const counters = new ShardCounters(createCounters());
    this.feedback = new Feedback(stage.engine, counters, SIMULATED_SETTINGS, (news) => this.news.push(news));
    this.#relay = new Relay(stage.engine, this.feedback, counters);
    const { clock } = this;
    this.source = newMember(1);
    this.source.user = PUBLISHER;
    this.uplink = new Link(clock, this.#seed * 7919, options.uplink ?? {}, (packet) => {
      this.#relay.receive(this.source, packet, clock.now);
    });
    this.uplinkBack = new Link(clock, this.#seed * 7919 + 1, options.uplinkBack ?? {}, (packet) => {
      this.publisher.receive(packet);
    });
    this.source.peer = quietPeer((packet) => this.uplinkBack.send(packet));
    this.publisher = new SimulatedPublisher(clock, options, (packet) => this.uplink.send(packet));
    for (const kind of ['audio', 'video'] as const) {
      this.source[kind] = {
        index: stage[kind],
        kind,
        negotiated: true,
        receiving: false,
        talking: newTalking(),
        downTracks: [],
      };
    }
    this.feedback.addPublisher(this.source);
    clock.every(TICK, () => this.feedback.tick(clock.now));
  }

  static async open(options: CallOptions = {}): Promise<SimulatedCall> {
    const { codec = 'vp8', transportCc, rtx = false } = options;
    const extensions = transportCc === undefined ? {} : { transportCc };
    const stage = await Stage.open(codec, extensions);
    const video = { ...upParameters(codec, extensions), ...(rtx ? {} : { rtxPayloadType: null }) };
    stage.engine.configureUpTrack(stage.video, video);
    return new SimulatedCall(stage, options);
  }

  /** A subscriber whose peer is connected from now on. */
  subscribe(options: SubscribeOptions = {}): Seat {
    const { clock } = this;
    const { engine } = this.stage;
    const number = ++this.#seats;
    const member = newMember(1 + number);
    const ssrcs: Record<MediaKind, number> = { audio: 2 * number, video: 2 * number + 1 };
    member.user = 1 + number;
    member.source = this.source;
    const rtx = options.rtxSsrc === undefined ? {} : { rtxPayloadType: 101, rtxSsrc: options.rtxSsrc };
    member.downParameters = [
      downParameters('audio', { ssrc: ssrcs.audio }),
      downParameters('video', { ssrc: ssrcs.video, ...rtx, extensions: options.extensions ?? {} }),
    ];
    const seed = this.#seed * 7919 + 2 * number;
    const downlink = new Link(clock, seed, options.downlink ?? {}, (packet) => peer.receive(packet));
    const back = new Link(clock, seed + 1, options.downlinkBack ?? {}, (packet) => {
      this.#relay.receive(member, packet, clock.now);
    });
    const peer = new SimulatedSubscriber(clock, ssrcs, options, (packet) => back.send(packet));
    member.peer = quietPeer((packet) => downlink.send(packet));
    attachDownTracks(engine, member, ['audio', 'video']);
    activateDownTracks(engine, member);
    this.feedback.subscriberUp(member, this.source, clock.now);
    peer.start();
    return { member, peer, downlink, back };
  }

  /** The engine's index of a subscriber's video. */
  static videoOf(seat: Seat): number {
    return indexOf(seat.member.videoDown);
  }
}
