export interface LoadSource {
  /** Cores that this process may use. */
  cores: number;
  /** Milliseconds that a media worker may run late before it leaves out video; 0 = it never does. */
  loopDelayMax: number;
  /** How late the media workers run, milliseconds, each. */
  workerDelays: () => number[];
}

const LOOP_DELAY_LIMIT = 200;
/** Of a new measurement; the rest is of those before it. */
const WEIGHT = 0.4;
/** Loads are told in steps, so that nodes agree on them. */
const STEP = 0.05;

/** How much of what it can do this process does: the greatest of CPU, the main thread's busy time and the workers' delay. */
export class Load {
  readonly #source: LoadSource;
  #cpu = process.cpuUsage();
  #at = performance.now();
  #loop = performance.eventLoopUtilization();
  #load = 0;

  constructor(source: LoadSource) {
    this.#source = source;
  }

  /** Since the last call. @returns 0 = idle, 1 = all that it can do, more = overloaded */
  measure(): number {
    const now = performance.now();
    const elapsed = Math.max(1, now - this.#at);
    const { user, system } = process.cpuUsage(this.#cpu);
    const { cores, loopDelayMax, workerDelays } = this.#source;
    const cpu = (user + system) / 1000 / elapsed / cores;
    const loop = performance.eventLoopUtilization();
    const main = performance.eventLoopUtilization(loop, this.#loop).utilization;
    const workers = Math.max(0, ...workerDelays()) / (loopDelayMax || LOOP_DELAY_LIMIT);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    this.#loop = loop;
    this.#load += WEIGHT * (Math.max(cpu, main, workers) - this.#load);
    return Math.round(Math.round(this.#load / STEP) * STEP * 100) / 100;
  }
}
