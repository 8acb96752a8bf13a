/** Holds each publisher to what its subscribers' lines carry, and pauses the video of a line that is too narrow. */
import { STATISTIC_LOST, STATISTIC_OCTETS, STATISTIC_PACKETS } from '../assembly/layout.js';
import { betterHalf, SubscriberBandwidth, VideoPause } from './bandwidth.js';
import type { Engine } from './engine.js';
import type { DownTrack, Member } from './member.js';
import { playoutDelay } from './playout-delay.js';

/** bit/s that video needs at least. */
const VIDEO_FLOOR = 60_000;

/** Milliseconds between two looks: a shorter time says nothing. */
const LOOK = 900;

/** Of fewer packets the share lost says nothing. */
const FEW = 10;

interface Sending {
  /** Bytes of both tracks when they were looked at last, and when. */
  octets: number;
  at: number;
  /** bit/s over the last two looks, the lower one: a keyframe is no rate. */
  rate: number;
  former: number;
}

interface Receiving {
  bandwidth: SubscriberBandwidth;
  pause: VideoPause;
  /** Video packets sent and lost in all when they were looked at last. */
  sent: number;
  lost: number;
  /** The playout delay that it was told, milliseconds. */
  delay: number;
}

export class BandwidthControl {
  private readonly engine: Engine;
  /** bit/s: what a publisher is always left, and the most that it may send. */
  private readonly least: number;
  private readonly most: number;
  private readonly onPause: (down: DownTrack) => void;
  private readonly publishers = new WeakMap<Member, Sending>();
  private readonly subscribers = new WeakMap<Member, Receiving>();

  /** @param onPause told of each down track whose video pauses now */
  constructor(engine: Engine, bitrate: { least: number; most: number }, onPause: (down: DownTrack) => void) {
    this.engine = engine;
    this.most = bitrate.most;
    this.least = Math.min(bitrate.least, bitrate.most);
    this.onPause = onPause;
  }

  private receiving(subscriber: Member): Receiving {
    let known = this.subscribers.get(subscriber);
    if (!known) {
      known = { bandwidth: new SubscriberBandwidth(this.most), pause: new VideoPause(), sent: 0, lost: 0, delay: 0 };
      this.subscribers.set(subscriber, known);
    }
    return known;
  }

  /** Its peer or its tracks are new: nothing is known of its line, and nothing paused. */
  forget(subscriber: Member): void {
    const delay = this.subscribers.get(subscriber)?.delay ?? 0;
    if (delay > 0 && subscriber.videoDown) this.engine.setPlayoutDelay(subscriber.videoDown.index, 0);
    this.subscribers.delete(subscriber);
  }

  private rateOf(publisher: Member): number {
    return this.publishers.get(publisher)?.rate ?? 0;
  }

  /** A subscriber's REMB came. @returns whether its publisher should hear of it at once: the line is full */
  estimate(subscriber: Member, source: Member, bitrate: number): boolean {
    const { bandwidth, pause } = this.receiving(subscriber);
    // A receiver without video estimates what audio alone told it.
    if (pause.paused) return false;
    const before = bandwidth.limit;
    bandwidth.estimate(bitrate, this.rateOf(source));
    return bandwidth.limit < before * 0.95;
  }

  /** Measures what a publisher sends since the last time. @returns false: it was too short a time ago */
  private measure(publisher: Member, now: number): boolean {
    const tracks = [publisher.audio, publisher.video];
    const octets = tracks.reduce(
      (sum, track) => sum + (track ? this.engine.upTrackStatistic(track.index, STATISTIC_OCTETS) : 0),
      0,
    );
    const known = this.publishers.get(publisher);
    if (!known) {
      this.publishers.set(publisher, { octets, at: now, rate: 0, former: 0 });
      return false;
    }
    const elapsed = now - known.at;
    if (elapsed < LOOK) return false;
    const rate = ((octets - known.octets) * 8000) / elapsed;
    known.rate = known.former > 0 ? Math.min(rate, known.former) : rate;
    known.former = rate;
    known.octets = octets;
    known.at = now;
    return true;
  }

  /** The share of packets that a subscriber called lost since the last time; null: too few were sent to say. */
  private takeLost(down: DownTrack, receiving: Receiving): number | null {
    const sent = this.engine.downTrackStatistic(down.index, STATISTIC_PACKETS);
    const lost = this.engine.downTrackStatistic(down.index, STATISTIC_LOST);
    const fresh = sent - receiving.sent;
    if (fresh < FEW) return null;
    const share = Math.max(0, lost - receiving.lost) / fresh;
    receiving.sent = sent;
    receiving.lost = lost;
    return Math.min(share, 1);
  }

  /**
   * What a publisher is told to stay under, bit/s.
   *
   * @param resume called for each down track whose video goes on after a pause
   */
  update(publisher: Member, now: number, resume: (down: DownTrack) => void): number {
    const looked = this.measure(publisher, now);
    const rate = this.rateOf(publisher);
    const downs = (publisher.video?.downTracks ?? []).filter(
      ({ subscriber }) => subscriber.peer?.connected && !this.engine.isBlocked(publisher.user, subscriber.user),
    );
    const limits: number[] = [];
    for (const down of downs) {
      const receiving = this.receiving(down.subscriber);
      const { bandwidth, pause } = receiving;
      if (looked && !pause.paused) {
        bandwidth.second(this.takeLost(down, receiving) ?? bandwidth.lost, rate);
        this.delay(down, receiving);
      }
      // Who gets no video has no say in what it takes, unless nobody gets any.
      if (!pause.paused) limits.push(bandwidth.limit);
    }
    publisher.home?.tellLimit(betterHalf(limits), limits.length);
    const all = publisher.mirrors ? [...limits, ...publisher.mirrors.limits] : limits;
    const held = publisher.home?.held ?? Math.max(this.least, Math.min(betterHalf(all), this.most));
    for (const down of downs) this.thin(down, rate, held, now, resume);
    return held;
  }

  private delay(down: DownTrack, receiving: Receiving): void {
    const delay = playoutDelay(receiving.delay, receiving.bandwidth.lost, this.engine.roundTripTime(down.index));
    if (delay === receiving.delay) return;
    receiving.delay = delay;
    this.engine.setPlayoutDelay(down.index, delay);
  }

  private thin(down: DownTrack, rate: number, held: number, now: number, resume: (down: DownTrack) => void): void {
    const { bandwidth, pause } = this.receiving(down.subscriber);
    const change = pause.update(bandwidth.width, rate, held, VIDEO_FLOOR, bandwidth.lost, now);
    if (change === null) return;
    if (change === 'retry') bandwidth.reset();
    this.engine.setDownTrackPaused(down.index, change === 'pause');
    if (change === 'pause') this.onPause(down);
    else resume(down);
  }
}
