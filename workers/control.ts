/**
 * The shared control words of a pool: how workers are asked to stop and say that they have, and their doorbells.
 *
 * Int32 cells [stop, live, done, doorbell of shard 0, 1, …]. A worker counts itself live once its native addon is
 * loaded, and done once that is cleaned up: a process that ends with live > done is aborted by the addon's threads.
 */
const STOP = 0;
const LIVE = 1;
const DONE = 2;
const DOORBELLS = 3;

export const createControl = (shards: number): SharedArrayBuffer => new SharedArrayBuffer((DOORBELLS + shards) * 4);

export class Control {
  private readonly cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory);
  }

  countLive(): void {
    Atomics.add(this.cells, LIVE, 1);
  }

  countDone(): void {
    Atomics.add(this.cells, DONE, 1);
    Atomics.notify(this.cells, DONE);
  }

  /** Asks all workers to close their peers and clean up. */
  askToStop(): void {
    Atomics.store(this.cells, STOP, 1);
    Atomics.notify(this.cells, STOP);
  }

  /** Resolves in a worker when all are asked to stop. */
  async stopAsked(): Promise<void> {
    while (Atomics.load(this.cells, STOP) === 0) await Atomics.waitAsync(this.cells, STOP, 0).value;
  }

  private remaining(): number {
    return Atomics.load(this.cells, LIVE) - Atomics.load(this.cells, DONE);
  }

  /** Resolves when no worker has native code alive, or after the time limit; false then. */
  async allDone(milliseconds: number): Promise<boolean> {
    const deadline = performance.now() + milliseconds;
    while (this.remaining() > 0) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await Atomics.waitAsync(this.cells, DONE, Atomics.load(this.cells, DONE), Math.min(left, 100)).value;
    }
    return true;
  }

  /** The same for an exit handler, which can't await: blocks the thread. */
  allDoneBlocking(milliseconds: number): boolean {
    const deadline = performance.now() + milliseconds;
    while (this.remaining() > 0) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.cells, DONE, Atomics.load(this.cells, DONE), Math.min(left, 20));
    }
    return true;
  }

  /** Wakes a shard; many calls before it wakes are one wake-up. */
  ringDoorbell(shard: number): void {
    Atomics.add(this.cells, DOORBELLS + shard, 1);
    Atomics.notify(this.cells, DOORBELLS + shard);
  }

  /**
   * Calls `answer` whenever the shard's doorbell rang since the last call; ends with the thread.
   *
   * @param answer true: there is more to do, after what else waits in the loop
   */
  async answerDoorbell(shard: number, answer: () => boolean): Promise<never> {
    const cell = DOORBELLS + shard;
    for (;;) {
      const rung = Atomics.load(this.cells, cell);
      if (answer()) await new Promise(setImmediate);
      else await Atomics.waitAsync(this.cells, cell, rung).value;
    }
  }
}
