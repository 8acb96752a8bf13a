/** RTCP both ways: a publisher's reports to its subscribers, subscribers' feedback to the publisher, and our own reports. */
import {
  PUBLISHER_AUDIO_REPORT,
  PUBLISHER_VIDEO_REPORT,
  STATISTIC_LOST,
  SUBSCRIBER_ESTIMATE,
  SUBSCRIBER_FIR,
  SUBSCRIBER_NACK,
  SUBSCRIBER_PLI,
} from '../assembly/layout.js';
import { BandwidthControl } from './bandwidth-control.js';
import type { ShardCounters } from './counters.js';
import type { Engine } from './engine.js';
import { KeyframeRequester, type KeyframeRequestKind } from './keyframe-requester.js';
import { type DownTrack, indexOf, type Member, type UpTrack } from './member.js';
import type { ShardNews, ShardSettings } from './protocol.js';

/** Milliseconds between our reports to a publisher (RFC 3550 6.2 allows less than 5 s for small groups). */
const REPORT_INTERVAL = 1000;
/** Milliseconds at least between two reports, however urgent. */
const URGENT_INTERVAL = 200;
/** Milliseconds without a packet after which nobody is waiting for a keyframe, because none can come. */
const SILENCE = 1000;

/** Milliseconds: while an older keyframe was on its way, a new one could have been asked for and come. */
const REPLAY_AGE = 600;

/** Milliseconds in which a new down track has its first sender report, or it waits for its publisher's next one. */
const FIRST_REPORT_LIMIT = 5000;

interface Publisher {
  keyframes: KeyframeRequester;
  lastReport: number;
}

export class Feedback {
  private readonly engine: Engine;
  private readonly say: (news: ShardNews) => void;
  private readonly counters: ShardCounters;
  private readonly bandwidth: BandwidthControl;
  private readonly publishers = new Map<Member, Publisher>();
  /** Down tracks that had no sender report yet, and until when they are tried. */
  private readonly unreported = new Map<DownTrack, number>();

  constructor(engine: Engine, counters: ShardCounters, settings: ShardSettings, say: (news: ShardNews) => void) {
    this.say = say;
    this.engine = engine;
    this.counters = counters;
    this.bandwidth = new BandwidthControl(
      engine,
      { least: settings.videoBitrateMin, most: settings.videoBitrateMax },
      (down) => this.tellPaused(down),
    );
  }

  /** The member has up tracks: it gets reports and keyframe requests from now on. */
  addPublisher(member: Member): void {
    if (!this.publishers.has(member))
      this.publishers.set(member, { keyframes: new KeyframeRequester(), lastReport: 0 });
  }

  removePublisher(member: Member): void {
    this.publishers.delete(member);
  }

  /** An RTCP packet came from a member's peer. */
  receive(member: Member, bytes: Buffer, now: number): void {
    if (member.source) this.fromSubscriber(member, member.source, bytes, now);
    else this.fromPublisher(member, bytes, now, now);
  }

  /** @param arrived when it did: earlier than now, if this is a mirror and another shard got it */
  fromPublisher(member: Member, bytes: Buffer, arrived: number, now: number): void {
    const seen = this.engine.readPublisherRtcp(indexOf(member.audio), indexOf(member.video), bytes, arrived);
    if (seen & (PUBLISHER_AUDIO_REPORT | PUBLISHER_VIDEO_REPORT)) member.mirrors?.report(bytes, now);
    if (seen & PUBLISHER_AUDIO_REPORT) this.forwardReport(member.audio, now);
    if (seen & PUBLISHER_VIDEO_REPORT) this.forwardReport(member.video, now);
  }

  private forwardReport(track: UpTrack | null, now: number): void {
    for (const down of track?.downTracks ?? []) {
      const report = this.engine.senderReport(down.index, now);
      if (report) down.subscriber.peer?.send(report);
    }
  }

  private fromSubscriber(member: Member, source: Member, bytes: Buffer, now: number): void {
    const asked = this.engine.readSubscriberRtcp(indexOf(member.audioDown), indexOf(member.videoDown), bytes, now);
    if (asked & (SUBSCRIBER_PLI | SUBSCRIBER_FIR) && !this.engine.isBlocked(member.user, source.user)) {
      this.requestKeyframe(source, asked & SUBSCRIBER_FIR ? 'fir' : 'pli', now);
    }
    if (asked & SUBSCRIBER_ESTIMATE && this.bandwidth.estimate(member, source, this.engine.estimate)) {
      this.reportAtOnce(source, now);
    }
    if (!(asked & SUBSCRIBER_NACK)) return;
    const count = this.engine.retransmissions;
    for (let i = 0; i < count; i++) {
      const packet = this.engine.retransmission(i, now);
      if (packet && member.peer?.send(packet)) this.counters.add('retransmissions');
    }
  }

  /** The subscriber is told that its line is too narrow, by the losses that it has reported in all. */
  private tellPaused({ index, kind, subscriber }: DownTrack): void {
    this.counters.add('videoPauses');
    const lost = this.engine.downTrackStatistic(index, STATISTIC_LOST);
    this.say({ type: 'slowlink', handle: subscriber.handle, kind, uplink: true, lost });
  }

  /** A subscriber of the publisher asks for a keyframe, or comes up, or a block on it was lifted. */
  requestKeyframe(publisher: Member, kind: KeyframeRequestKind, now: number): void {
    const due = this.publishers.get(publisher)?.keyframes.request(kind, now);
    if (due) this.sendKeyframeRequest(publisher, due);
  }

  /** The subscriber's peer is connected, or its answer took more: it gets its picture and the publisher's clock. */
  subscriberUp(member: Member, source: Member, now: number): void {
    this.bandwidth.forget(member);
    for (const down of [member.audioDown, member.videoDown]) {
      if (down) this.unreported.set(down, now + FIRST_REPORT_LIMIT);
    }
    if (!member.videoDown || this.replay(member.videoDown, now)) return;
    this.requestKeyframe(source, 'fir', now);
  }

  /**
   * Somebody may wait for a keyframe that is there: after a block, or when one came late.
   *
   * @returns whether somebody waited, and nobody does any more
   */
  startWaiting(publisher: Member, now: number): boolean {
    const { video } = publisher;
    if (!video || this.engine.waitingForKeyframe(video.index) === 0) return false;
    for (const down of video.downTracks) this.replay(down, now);
    return this.engine.waitingForKeyframe(video.index) === 0;
  }

  /** Whether the subscriber could be started with the last keyframe. */
  private replay(down: DownTrack, now: number): boolean {
    const { engine } = this;
    const packets = engine.beginReplay(down.index, REPLAY_AGE, now);
    for (let i = 0; i < packets; i++) {
      const packet = engine.replayed(i, now);
      if (packet) this.counters.add(down.subscriber.peer?.send(packet) ? 'packetsSent' : 'packetsUnsent');
    }
    return packets > 0;
  }

  private sendKeyframeRequest(publisher: Member, kind: KeyframeRequestKind): void {
    const { video, home } = publisher;
    if (home) {
      home.requestKeyframe(kind);
      return;
    }
    const request = video?.negotiated ? this.engine.keyframeRequest(video.index, kind) : null;
    if (request && publisher.peer?.send(request)) this.counters.add('keyframeRequests');
  }

  /** A video packet was relayed. */
  videoForwarded(member: Member, keyframe: boolean, now: number): void {
    const publisher = this.publishers.get(member);
    if (!publisher) return;
    if (keyframe) publisher.keyframes.satisfied();
    // The first estimate goes out with the first packet: a browser starts low and climbs from what it hears.
    else if (publisher.lastReport === 0) this.report(member, publisher, now);
  }

  /** What can't wait for the next tick: when packets arrived, and a NACK for those that are missing. */
  tellPublisher(member: Member, now: number): void {
    const { engine } = this;
    const arrivals = engine.transportFeedback(indexOf(member.audio), indexOf(member.video), now);
    if (arrivals) member.peer?.send(arrivals);
    if (!member.video?.negotiated) return;
    const request = engine.lossRequest(member.video.index, now);
    // Its subscribers would notice too, one after the other, and only when their own requests remain unanswered.
    const lost = engine.pictureLost && (member.video.downTracks.length > 0 || member.mirrors !== null);
    if (request) member.peer?.send(request);
    if (lost) this.requestKeyframe(member, 'pli', now);
  }

  /** Without a report a player can't put sound and picture together, and browsers report sound every 5 s only. */
  private reportFirst(now: number): void {
    for (const [down, limit] of this.unreported) {
      const report = this.engine.senderReport(down.index, now);
      if (report) down.subscriber.peer?.send(report);
      if (report || now >= limit) this.unreported.delete(down);
    }
  }

  /** Regular work: keyframe requests whose turn has come, NACKs, and reports. */
  tick(now: number): void {
    this.reportFirst(now);
    for (const [member, publisher] of this.publishers) {
      if (!member.peer?.connected && !member.home) continue;
      if (!member.home) this.tellPublisher(member, now);
      const due = publisher.keyframes.due(this.somebodyWaits(member, now), now);
      if (due) this.sendKeyframeRequest(member, due);
      if (now - publisher.lastReport >= REPORT_INTERVAL) this.report(member, publisher, now);
    }
  }

  private somebodyWaits(member: Member, now: number): boolean {
    const { video } = member;
    if (!video?.negotiated || video.downTracks.length === 0) return false;
    const last = this.engine.lastPacketAt(video.index);
    return last > 0 && now - last < SILENCE && this.engine.waitingForKeyframe(video.index) > 0;
  }

  /** A subscriber's line is full: each packet more would only wait in its queue. */
  reportAtOnce(source: Member, now: number): void {
    const publisher = this.publishers.get(source);
    if (publisher && now - publisher.lastReport >= URGENT_INTERVAL) this.report(source, publisher, now);
  }

  /** What is done for a down track whose video goes on. */
  private resume(source: Member, now: number): (down: DownTrack) => void {
    return (down) => {
      if (!this.replay(down, now)) this.requestKeyframe(source, 'fir', now);
    };
  }

  private report(member: Member, publisher: Publisher, now: number): void {
    publisher.lastReport = now;
    const bitrate = member.video?.negotiated ? this.bandwidth.update(member, now, this.resume(member, now)) : 0;
    if (member.home) return;
    member.mirrors?.tellHeld(bitrate);
    const report = this.engine.receiverReport(indexOf(member.audio), indexOf(member.video), bitrate, now);
    if (report) member.peer?.send(report);
  }
}
