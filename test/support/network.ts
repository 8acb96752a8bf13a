/** A network in virtual time: the same seed, the same losses, and an hour of it in seconds. */
import { Random } from './random.js';

interface Event {
  at: number;
  order: number;
  run: () => void;
}

/** Virtual milliseconds. What is due runs in the order of its times; of the same time, in the order it was asked for. */
export class Clock {
  now: number;
  readonly #events: Event[] = [];
  #asked = 0;

  constructor(start = 1000) {
    this.now = start;
  }

  after(delay: number, run: () => void): void {
    this.#push({ at: this.now + Math.max(delay, 0), order: this.#asked++, run });
  }

  /** Runs now and then once per interval, as long as the clock does. */
  every(interval: number, run: () => void): void {
    run();
    this.after(interval, () => this.every(interval, run));
  }

  /** When the next of what was asked for is due; null: nothing is. */
  get next(): number | null {
    return this.#events[0]?.at ?? null;
  }

  /** Lets so much time pass. */
  run(duration: number): void {
    const end = this.now + duration;
    for (let next = this.#events[0]; next && next.at <= end; next = this.#events[0]) {
      this.#pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  /** A binary heap: thousands of packets may be on their way. */
  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || !before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#events;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      if (right && before(right, left)) child++;
      const least = heap[child];
      if (!least || !before(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** What a link does to its packets. Shares are 0..1, times milliseconds; what is left out doesn't happen. */
export interface LinkConditions {
  /** Share lost, each packet by itself. */
  loss?: number;
  /** Gilbert-Elliott: the chance per packet that a bad stretch starts, that it ends, and the share lost in it. */
  bursts?: { start: number; end: number; loss: number };
  /** Share that arrives twice, the second time after up to 5 ms. */
  duplicate?: number;
  /** Share that is overtaken by the packets of the next `by` milliseconds. */
  reorder?: { share: number; by: number };
  /** One way. */
  delay?: number;
  /** Evenly spread over 0..jitter on top of the delay; packets keep their order. */
  jitter?: number;
  /** bit/s, with IP and UDP headers; `queue` milliseconds of it wait, what is more is lost. */
  rate?: number;
  queue?: number;
}

/** Bytes of IPv4 and UDP around each packet. */
const OVERHEAD = 28;
/** Milliseconds that a full queue holds unless it is said. */
const QUEUE = 200;

/** One direction of a path. */
export class Link {
  conditions: LinkConditions;
  sent = 0;
  lost = 0;
  delivered = 0;
  bytesSent = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deliver: (packet: Buffer) => void;
  #bad = false;
  /** When the sender is done with all that it has taken. */
  #idleAt = 0;
  #lastArrival = 0;
  #loses: ((packet: Buffer) => boolean) | null = null;

  constructor(clock: Clock, seed: number, conditions: LinkConditions, deliver: (packet: Buffer) => void = () => {}) {
    this.#clock = clock;
    this.#random = new Random(seed);
    this.conditions = conditions;
    this.#deliver = deliver;
  }

  /** Loses the next packet of a kind beside all others. */
  loseNext(kind: (packet: Buffer) => boolean): void {
    this.#loses = kind;
  }

  /**
   * Takes a packet; the bytes are copied, as the sender may write over them.
   *
   * @param deliver where this one goes, on a link that several flows share
   */
  send(packet: Buffer, deliver: (packet: Buffer) => void = this.#deliver): void {
    const { conditions } = this;
    this.sent++;
    this.bytesSent += packet.length;
    const wait = this.#transmit(packet.length);
    // The state of the channel goes on with every packet, whatever else becomes of it.
    const picked = this.#loses?.(packet) === true;
    if (picked) this.#loses = null;
    const lost = this.#isLost() || picked;
    if (wait === null || lost) {
      this.lost++;
      return;
    }
    const bytes = Buffer.from(packet);
    const jitter = (conditions.jitter ?? 0) * this.#share();
    const { now } = this.#clock;
    let arrival = Math.max(now + wait + (conditions.delay ?? 0) + jitter, this.#lastArrival);
    if (this.#chance(conditions.reorder?.share)) arrival += conditions.reorder?.by ?? 0;
    else this.#lastArrival = arrival;
    this.#arrive(bytes, arrival - now, deliver);
    if (this.#chance(conditions.duplicate)) this.#arrive(bytes, arrival - now + 5 * this.#share(), deliver);
  }

  #arrive(bytes: Buffer, delay: number, deliver: (packet: Buffer) => void): void {
    this.#clock.after(delay, () => {
      this.delivered++;
      deliver(bytes);
    });
  }

  /** Milliseconds until the packet has left; null: the queue is full. */
  #transmit(length: number): number | null {
    const { rate, queue = QUEUE } = this.conditions;
    if (rate === undefined) return 0;
    const { now } = this.#clock;
    const waiting = Math.max(this.#idleAt - now, 0);
    if (waiting > queue) return null;
    const time = ((length + OVERHEAD) * 8000) / rate;
    this.#idleAt = now + waiting + time;
    return waiting + time;
  }

  #isLost(): boolean {
    const { loss, bursts } = this.conditions;
    if (bursts) {
      if (this.#chance(this.#bad ? bursts.end : bursts.start)) this.#bad = !this.#bad;
      if (this.#bad && this.#chance(bursts.loss)) return true;
    }
    return this.#chance(loss);
  }

  #share(): number {
    return this.#random.below(2 ** 30) / 2 ** 30;
  }

  #chance(share = 0): boolean {
    return share > 0 && this.#share() < share;
  }
}

/** Bursts that lose this share of all packets: a bad stretch lasts 8 packets on average and loses 3 in 4. */
export function bursty(share: number): NonNullable<LinkConditions['bursts']> {
  const end = 1 / 8;
  const loss = 0.75;
  const bad = share / loss;
  return { start: (end * bad) / (1 - bad), end, loss };
}
