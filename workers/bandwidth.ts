/**
 * What a subscriber's line carries, from what it says itself: its estimate (REMB) and the share of packets it lost.
 * A receiver's estimate climbs slowly from what it was sent, so that one below what is sent means little while it climbs; one
 * that falls, or stays, says that packets wait.
 *
 * Pure: numbers come in, a decision goes out. Rates are bit/s, times milliseconds.
 */

/** An estimate above this share of what is sent is no limit (receivers whose line is full go down to 0.85 of it). */
const FULL = 0.9;
/** An estimate falls or climbs by more than these factors, or it stays; so many seconds of that say that the line is full. */
const FALL = 0.97;
const CLIMB = 1.02;
const STAYS = 3;
/** A limit above this multiple of the most is none. */
const MORE = 1.2;
/**
 * Above this share of losses the publisher is slowed down: the fewer packets a picture has, the fewer pictures wait for one
 * that is sent again. Twice the losses take it down to about 0.4 of the most, four times to 0.15, as browsers do that
 * send straight to each other. Above the second share the line doesn't carry what is sent.
 */
const LOSSY = 0.05;
const STEEPNESS = 1.35;
const CHOKED = 0.35;
/** How much the last second counts in the share that is lost: it is about few packets. */
const NEWS = 0.25;

export class SubscriberBandwidth {
  /** The most that anybody is to send. */
  private readonly most: number;
  private estimated = Number.POSITIVE_INFINITY;
  /** The last estimate, and the one a second before. */
  private last = Number.POSITIVE_INFINITY;
  private before = Number.POSITIVE_INFINITY;
  private stays = 0;
  /** The share of packets that it loses, 0..1. */
  lost = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** What should be sent; Infinity: nothing speaks against anything. */
  get limit(): number {
    return this.lost > LOSSY ? Math.min(this.estimated, this.most * (LOSSY / this.lost) ** STEEPNESS) : this.estimated;
  }

  /** What the line carries, as far as is known: one that loses packets may be wide. */
  get width(): number {
    return this.estimated;
  }

  /**
   * The receiver's estimate came; browsers repeat it in all their RTCP.
   *
   * @param rate what it is sent
   */
  estimate(bitrate: number, rate: number): void {
    const limited = this.estimated !== Number.POSITIVE_INFINITY;
    const fell = bitrate < this.last * FALL;
    this.last = bitrate;
    if (bitrate >= rate * FULL) this.estimated = limited ? Math.max(this.estimated, bitrate) : this.estimated;
    else if (fell || limited) this.estimated = bitrate;
  }

  /** A second is over. @param lost the share of packets that was lost in it, as the receiver reported, 0..1 */
  second(lost: number, rate: number): void {
    this.stays = this.last > this.before * CLIMB ? 0 : this.stays + 1;
    this.before = this.last;
    if (this.stays >= STAYS && this.last < rate * FULL) this.estimated = Math.min(this.estimated, this.last);
    this.lost += (lost - this.lost) * NEWS;
    if (rate > 0 && this.lost > CHOKED) this.estimated = Math.min(this.estimated, rate * (1 - this.lost));
    if (this.estimated > this.most * MORE) this.estimated = Number.POSITIVE_INFINITY;
  }

  /** Forgets everything: whether the line has become better is only seen by trying. */
  reset(): void {
    this.stays = 0;
    this.lost = 0;
    this.estimated = Number.POSITIVE_INFINITY;
  }
}

/** What the better half of the subscribers can take: one bad line does not pull the others down. */
export function betterHalf(limits: readonly number[]): number {
  if (limits.length === 0) return Number.POSITIVE_INFINITY;
  const best = [...limits].sort((a, b) => b - a);
  return best[Math.ceil(best.length / 2) - 1] ?? Number.POSITIVE_INFINITY;
}

/**
 * Milliseconds for which a line is too narrow before its video is paused: at first, when it was tried again, and where
 * little is lost, so that it may be no more than a receiver's mistake.
 */
const PATIENCE = 2000;
const TRIAL = 700;
const DOUBT = 10_000;
/** Milliseconds of the first pause; each that follows soon is twice as long, up to the last. */
const FIRST_PAUSE = 8000;
const LONGEST_PAUSE = 64_000;
/** Milliseconds of video after which a pause is the first again. */
const STEADY = 30_000;
/** Below this share of what is sent a line is too narrow, above the other it is wide enough. */
const NARROW = 0.8;
const WIDE = 0.95;
/** Losses of a line that may be too narrow, and of one that is. */
const SOME = 0.05;
const MANY = 0.2;

type Change = 'pause' | 'resume' | 'retry' | null;

/** Whether a subscriber's video is paused, so that its audio gets through a line that is too narrow for both. */
export class VideoPause {
  private narrowSince: number | null = null;
  private pausedAt = 0;
  private resumedAt = Number.NEGATIVE_INFINITY;
  private length = FIRST_PAUSE;
  paused = false;

  /**
   * Called regularly.
   *
   * @param width what the line carries
   * @param rate what its publisher sends
   * @param held what its publisher is told to stay under
   * @param floor less than this is no use for video
   * @param lost the share of packets that the line loses, 0..1
   * @returns `retry`: it was paused for its time and starts again, as if nothing were known of the line
   */
  update(width: number, rate: number, held: number, floor: number, lost: number, now: number): Change {
    if (this.paused) {
      if (width >= floor && rate > 0 && rate <= width * WIDE) return this.resume('resume', now);
      return now - this.pausedAt >= this.length ? this.resume('retry', now) : null;
    }
    // The publisher is coming down to what this line carries, unless others hold it up.
    const narrow = held > width && (width < floor || (width < rate * NARROW && lost > SOME));
    if (!narrow) {
      this.narrowSince = null;
      return null;
    }
    this.narrowSince ??= now;
    const trial = now - this.resumedAt < STEADY;
    if (now - this.narrowSince < (lost < MANY ? DOUBT : trial ? TRIAL : PATIENCE)) return null;
    this.length = trial ? Math.min(this.length * 2, LONGEST_PAUSE) : FIRST_PAUSE;
    this.paused = true;
    this.pausedAt = now;
    return 'pause';
  }

  private resume(how: 'resume' | 'retry', now: number): 'resume' | 'retry' {
    this.paused = false;
    this.narrowSince = null;
    this.resumedAt = now;
    return how;
  }
}
