/** Counts and times what was sent and what came out while measuring. What was sent then counts, whenever it arrives. */
import { Histogram, type Quantiles } from './histogram.js';

/** Packets or messages of the senders, and how many of them should have come out, and did, at all receivers together. */
export interface Passage {
  sent: number;
  expected: number;
  received: number;
  /** From sending to receiving, milliseconds. */
  latency: Quantiles;
}

export interface LoadMeasurement extends Passage {
  /** Data messages; `Passage` itself is RTP, with the latency of video if there is any, else of audio. */
  data: Passage;
}

class Lane {
  sent = 0;
  expected = 0;
  received = 0;

  clear(): void {
    this.sent = 0;
    this.expected = 0;
    this.received = 0;
  }
}

export class Tally {
  readonly #rtp = new Lane();
  readonly #data = new Lane();
  readonly #latencies = { audio: new Histogram(), video: new Histogram(), data: new Histogram() };
  /** Milliseconds. */
  #begin = Number.POSITIVE_INFINITY;
  #end = Number.POSITIVE_INFINITY;
  #complete: (() => void) | null = null;

  begin(now: number): void {
    for (const lane of [this.#rtp, this.#data]) lane.clear();
    for (const latencies of Object.values(this.#latencies)) latencies.clear();
    this.#end = Number.POSITIVE_INFINITY;
    this.#begin = now;
  }

  /** What is sent from now on doesn't count. Resolves when all that does has come, or after `patience` milliseconds. */
  async end(now: number, patience: number): Promise<LoadMeasurement> {
    this.#end = now;
    if (!this.#isComplete()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience);
        this.#complete = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#complete = null;
    }
    this.#begin = Number.POSITIVE_INFINITY;
    return this.look();
  }

  look(): LoadMeasurement {
    const { audio, video, data } = this.#latencies;
    const { sent, expected, received } = this.#rtp;
    return {
      sent,
      expected,
      received,
      latency: (video.count > 0 ? video : audio).quantiles(),
      data: {
        sent: this.#data.sent,
        expected: this.#data.expected,
        received: this.#data.received,
        latency: data.quantiles(),
      },
    };
  }

  /** @param hearers receivers that should get it */
  sent(what: 'rtp' | 'data', now: number, hearers: number): void {
    if (!this.#counts(now)) return;
    const lane = what === 'rtp' ? this.#rtp : this.#data;
    lane.sent += 1;
    lane.expected += hearers;
  }

  received(what: 'audio' | 'video' | 'data', sentAt: number, now: number): void {
    if (!this.#counts(sentAt)) return;
    (what === 'data' ? this.#data : this.#rtp).received += 1;
    this.#latencies[what].add(now - sentAt);
    if (this.#complete !== null && this.#isComplete()) this.#complete();
  }

  #counts(sentAt: number): boolean {
    return sentAt >= this.#begin && sentAt < this.#end;
  }

  #isComplete(): boolean {
    return this.#rtp.received >= this.#rtp.expected && this.#data.received >= this.#data.expected;
  }
}
