/** Two shards without sockets: real engines, relays, feedback and fan-outs, with real rings between them that a test drains. */
import { createCounters, ShardCounters } from '../../workers/counters.js';
import { FanOut } from '../../workers/fan-out.js';
import { Feedback } from '../../workers/feedback.js';
import { type Member, newMember } from '../../workers/member.js';
import { Relay } from '../../workers/relay.js';
import { createRing, Ring } from '../../workers/ring.js';
import { activateDownTracks, attachDownTracks } from '../../workers/subscriptions.js';
import { newTalking } from '../../workers/talking.js';
import { downParameters, PUBLISHER, Stage, upParameters } from './engine.js';
import { quietPeer, SIMULATED_SETTINGS } from './simulated-call.js';

/** One of them, with what its peers were sent. */
export class LoneShard {
  readonly stage: Stage;
  readonly counters = new ShardCounters(createCounters());
  readonly feedback: Feedback;
  readonly relay: Relay;
  readonly fanOut: FanOut;
  /** Times that another shard was woken. */
  wakes = 0;

  constructor(stage: Stage, rings: { outgoing: (Ring | null)[]; incoming: (Ring | null)[] }) {
    this.stage = stage;
    const { engine } = stage;
    this.feedback = new Feedback(engine, this.counters, SIMULATED_SETTINGS, () => {});
    this.relay = new Relay(engine, this.feedback, this.counters);
    const { relay, feedback, counters } = this;
    this.fanOut = new FanOut({ engine, relay, feedback, counters, ...rings, wake: () => this.wakes++ });
  }

  /** A member with the stage's two up tracks, as its publisher or a mirror of it. */
  publisher(handle: number): Member {
    const member = newMember(handle);
    for (const kind of ['audio', 'video'] as const) {
      member[kind] = {
        index: this.stage[kind],
        kind,
        negotiated: true,
        receiving: false,
        talking: newTalking(),
        downTracks: [],
      };
    }
    this.feedback.addPublisher(member);
    return member;
  }

  /** A connected subscriber of both. @returns it, and all that it is sent */
  subscribe(source: Member, handle: number): { member: Member; sent: Buffer[] } {
    const member = newMember(handle);
    const sent: Buffer[] = [];
    member.user = handle;
    member.source = source;
    member.peer = quietPeer((packet) => sent.push(Buffer.from(packet)));
    member.downParameters = [
      downParameters('audio', { ssrc: handle * 2 }),
      downParameters('video', { ssrc: handle * 2 + 1 }),
    ];
    attachDownTracks(this.stage.engine, member, ['audio', 'video']);
    activateDownTracks(this.stage.engine, member);
    this.feedback.subscriberUp(member, source, performance.now());
    return { member, sent };
  }

  /** Reads all that the other shard has written. */
  drain(): void {
    while (this.fanOut.drain());
  }
}

/** The handle of the publisher that lives on the home and has a mirror on the other one. */
export const MIRRORED = 1;

export class ShardPair {
  readonly home: LoneShard;
  readonly other: LoneShard;
  readonly publisher: Member;
  readonly mirror: Member;
  /** RTCP that the publisher was sent. */
  readonly told: Buffer[] = [];
  /** From the home to the other one. */
  readonly ring: Ring;

  private constructor(stages: [Stage, Stage]) {
    const there = createRing();
    const back = createRing();
    this.ring = new Ring(there);
    this.home = new LoneShard(stages[0], { outgoing: [null, new Ring(there)], incoming: [null, new Ring(back)] });
    this.other = new LoneShard(stages[1], { outgoing: [new Ring(back), null], incoming: [new Ring(there), null] });
    this.publisher = this.home.publisher(MIRRORED);
    this.publisher.user = PUBLISHER;
    this.publisher.peer = quietPeer((packet) => this.told.push(Buffer.from(packet)));
    this.publisher.upParameters = [upParameters('opus'), upParameters('vp8')];
    this.mirror = this.other.publisher(MIRRORED);
  }

  static async open(): Promise<ShardPair> {
    return new ShardPair([await Stage.open('vp8'), await Stage.open('vp8')]);
  }

  /** As the main thread does when the publisher's first subscriber there comes. */
  begin(): void {
    this.other.fanOut.mirror(this.mirror, 0);
    this.home.fanOut.setMirrors(this.publisher, [1]);
  }

  /** The publisher sends a packet. */
  send(packet: Buffer): void {
    this.home.relay.receive(this.publisher, packet, performance.now());
  }
}
