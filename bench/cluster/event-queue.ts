/** What is to happen, in the order of time: a binary heap. Events of one moment come out in the order they went in. */
interface Entry {
  at: number;
  turn: number;
  run: () => void;
}

const earlier = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn);

export class EventQueue {
  readonly #heap: Entry[] = [];
  #turn = 0;
  /** Seconds. */
  now = 0;

  /** @param delay seconds from now, 0.. */
  after(delay: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { at: this.now + delay, turn: this.#turn++, run };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (!parent || earlier(parent, entry)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = entry;
  }

  /** Lets time pass. */
  runUntil(end: number): void {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.at > end) break;
      this.#removeFirst();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child && right && earlier(right, child)) {
        child = right;
        below += 1;
      }
      if (!child || earlier(last, child)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}
