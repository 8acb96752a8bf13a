/** The worker threads: the only user of piscina. Starts them, hands them requests, brings their news, stops them. */
import { readFile } from 'node:fs/promises';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina, queueOptionsSymbol } from 'piscina';
import { Control, createControl } from '../../workers/control.js';
import { createCounters, type ShardCounter, ShardCounters } from '../../workers/counters.js';
import { createMemory, readCounters } from '../../workers/memory.js';
import type {
  ShardCall,
  ShardLimits,
  ShardNews,
  ShardNumber,
  ShardReply,
  ShardSettings,
  StartShard,
} from '../../workers/protocol.js';
import { createRing } from '../../workers/ring.js';
import { Heartbeats } from './heartbeats.js';
import { ShardError, ShardLine } from './line.js';
import { type MeasuredLoad, ShardLoads } from './loads.js';
import {
  choosePlacement,
  type FanOutPolicy,
  type PlacementHint,
  type PlacementPolicy,
  placeSubscriber,
} from './placement.js';
import { Restarts } from './restarts.js';

export { ShardError };

export interface ShardsOptions {
  /** 1.. */
  workers: number;
  /** The first shard's UDP port; the next ones follow. */
  rtpPort: number;
  placement: PlacementPolicy;
  fanOut: FanOutPolicy;
  /** The share of its time, 0..1, from which on a shard is near saturation. */
  loadMax: number;
  /** Milliseconds for which a worker may stand still until `stuck` resolves; 0 = for ever. */
  stallLimit: number;
  settings: Omit<ShardSettings, 'rtpPort'>;
  log: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}

interface Place {
  /** piscina's name for the worker: its thread id; null while there is none. */
  thread: number | null;
  /** To its worker; null while there is none. */
  line: ShardLine | null;
  /** The thread that is to run the shard: it waits for its turn, or is being started. */
  next: number | null;
  /** When its worker was first seen to stand still, milliseconds; null = it runs. */
  stalledSince: number | null;
  readonly restarts: Restarts;
  /** Workers that died here. */
  deaths: number;
  memory: WebAssembly.Memory;
  counters: SharedArrayBuffer;
}

const ENTRY = fileURLToPath(new URL('../../workers/shard.js', import.meta.url));
const ENGINE = new URL('../../engine.wasm', import.meta.url);
/** Milliseconds between two looks at the heartbeats. */
const LOOK_INTERVAL = 250;
/** Milliseconds that workers get to close their peers and end their native threads. */
const STOP_LIMIT = 4000;
/** The same for workers of which one stands still, and in an exit handler, where nothing else can go on. */
const SHORT_STOP_LIMIT = 500;

export class Shards {
  private readonly options: ShardsOptions;
  private readonly engine: WebAssembly.Module;
  private readonly control: SharedArrayBuffer;
  private readonly rings: (SharedArrayBuffer | null)[][];
  private readonly mirrorRings: (SharedArrayBuffer | null)[][];
  private readonly loads = new ShardLoads();
  private readonly pool: Piscina;
  private readonly places: Place[];
  private readonly newsListeners: ((shard: ShardNumber, news: ShardNews) => void)[] = [];
  private readonly lostListeners: ((shard: ShardNumber) => void)[] = [];
  private readonly heartbeats = new Heartbeats();
  /** Workers that are not there, or whose loops stand still, as of the last look. */
  private stalled: ReadonlySet<ShardNumber> = new Set();
  private readonly watch: NodeJS.Timeout;
  /**
   * Resolves with a worker that stands still for too long: its peers are lost, and a thread whose native code is alive can
   * not be ended alone. Only a new process helps.
   */
  readonly stuck: Promise<ShardNumber>;
  private sayStuck: (shard: ShardNumber) => void = () => {};
  private turn = 0;
  private stopping = false;
  private readonly onExit = () => this.stopBlocking();

  private constructor(options: ShardsOptions, engine: WebAssembly.Module) {
    const count = options.workers;
    const numbers = Array.from({ length: count }, (_, number) => number);
    this.options = { ...options, settings: { ...options.settings } };
    this.engine = engine;
    this.control = createControl(count);
    const rings = () => numbers.map((from) => numbers.map((to) => (from === to ? null : createRing())));
    this.rings = rings();
    this.mirrorRings = rings();
    this.places = numbers.map(() => ({
      thread: null,
      line: null,
      next: null,
      stalledSince: null,
      restarts: new Restarts(),
      deaths: 0,
      memory: createMemory(),
      counters: createCounters(),
    }));
    this.pool = new Piscina({
      filename: ENTRY,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1_000_000,
      // An idle worker parked in Atomics.wait would receive no packet.
      atomics: 'disabled',
      // Exact: a task names its thread, and is never given to another. null would block all later tasks of all workers,
      // so that a pin to a thread that is gone is refused before it gets here (run()).
      loadBalancer: (task, workers) => workers.find((worker) => worker.id === pinOf(task[queueOptionsSymbol])) ?? null,
    });
    this.pool.on('error', (error: Error) => options.log('error', 'a worker thread failed', { error: error.message }));
    this.stuck = new Promise((resolve) => {
      this.sayStuck = resolve;
    });
    this.watch = setInterval(() => this.look(), LOOK_INTERVAL).unref();
  }

  /**
   * Starts all workers.
   *
   * @throws Error that says what is wrong (port in use, addon can't be loaded, …); nothing stays behind
   */
  static async start(options: ShardsOptions): Promise<Shards> {
    const shards = new Shards(options, await WebAssembly.compile(await readFile(ENGINE)));
    const created = Array.from(shards.pool.threads, (worker) => worker.threadId);
    process.on('exit', shards.onExit);
    const started = await Promise.allSettled(
      shards.places.map((_, shard) => shards.startOn(shard, created[shard] ?? -1)),
    );
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await shards.stop();
      throw failed.reason instanceof Error ? failed.reason : new Error(String(failed.reason));
    }
    shards.pool.on('workerDestroy', (worker: { id: number }) => shards.lose(worker.id));
    shards.pool.on('workerCreate', (worker: { id: number }) => void shards.replace(worker.id));
    return shards;
  }

  get count(): number {
    return this.places.length;
  }

  /**
   * Runs one request on a shard; requests to one shard start in the order of the calls.
   *
   * @throws ShardError if the shard is down or the request failed; other shards and requests are unharmed
   */
  async run(shard: ShardNumber, request: ShardCall): Promise<ShardReply> {
    const { thread = null, line = null } = this.places[shard] ?? {};
    if (thread === null || line === null || this.stopping)
      throw new ShardError(`Media worker ${shard} is not running; try again in a moment.`);
    return line.request(request);
  }

  /** Runs one request on every living shard; resolves when all have done it. */
  async broadcast(request: ShardCall): Promise<void> {
    const living = this.places.flatMap((place, shard) => (place.thread === null ? [] : [shard]));
    await Promise.all(living.map((shard) => this.run(shard, request)));
  }

  /** Changes the settings that may change, on all shards and on those that will replace one. */
  async setLimits(limits: Partial<ShardLimits>): Promise<void> {
    const { settings } = this.options;
    Object.assign(settings, limits);
    const { noMediaTimeout, slowlinkThreshold } = settings;
    await this.broadcast({ type: 'set-limits', limits: { noMediaTimeout, slowlinkThreshold } });
  }

  get limits(): ShardLimits {
    return this.options.settings;
  }

  /** Whether the shard's worker is there and its loop runs. */
  isWell(shard: ShardNumber): boolean {
    return this.places[shard]?.thread != null && !this.stalled.has(shard);
  }

  onNews(listener: (shard: ShardNumber, news: ShardNews) => void): void {
    this.newsListeners.push(listener);
  }

  /** Told when a worker died: all its peers are gone; a replacement with the same number starts at once. */
  onLost(listener: (shard: ShardNumber) => void): void {
    this.lostListeners.push(listener);
  }

  /**
   * Where a new handle's peer should live: never with a worker that stands still, unless all do.
   *
   * @throws ShardError if none is there
   */
  place(hint: PlacementHint): ShardNumber {
    const { placement, loadMax } = this.options;
    return this.choose((loads, turn) => choosePlacement(placement, hint, loads, turn, loadMax));
  }

  /**
   * Where a new subscriber's peer should live.
   *
   * @param home the publisher's shard
   * @param mirrors other shards that carry some of its subscribers
   */
  placeSubscriber(home: ShardNumber, mirrors: ReadonlySet<ShardNumber>): ShardNumber {
    const { placement, fanOut, loadMax } = this.options;
    const policy = placement === 'together' ? 'off' : fanOut;
    return this.choose((loads, turn) => placeSubscriber(policy, { home, mirrors }, loads, turn, loadMax));
  }

  private choose(decide: (loads: (number | null)[], turn: number) => ShardNumber): ShardNumber {
    const now = performance.now();
    // Where all stand still waiting is better than being refused: most go on soon, where the machine is busy with something else.
    const anyWell = this.places.some((_, shard) => this.isWell(shard));
    const measured = this.places.map((place, shard): MeasuredLoad | null => {
      if (anyWell ? !this.isWell(shard) : place.thread === null) return null;
      const counters = new ShardCounters(place.counters);
      return { busy: counters.get('loopBusyPercent') / 100, peers: counters.get('peers') };
    });
    if (measured.every((load) => load === null))
      throw new ShardError('No media worker is running; try again in a moment.');
    const shard = decide(this.loads.estimate(measured, now), this.turn);
    this.turn += 1;
    this.loads.placed(shard, measured[shard] ?? null, now);
    return shard;
  }

  /** The shard's and its engine's counters, read in place. */
  counters(shard: ShardNumber): Record<ShardCounter | string, number> {
    const place = this.places[shard];
    if (!place) return {};
    return { ...readCounters(place.memory), ...new ShardCounters(place.counters).read() };
  }

  /** The same, the shard's and the engine's apart, and how many workers died in its place. */
  figures(shard: ShardNumber): { deaths: number; worker: Record<string, number>; engine: Record<string, number> } {
    const place = this.places[shard];
    if (!place) return { deaths: 0, worker: {}, engine: {} };
    const { deaths, counters, memory } = place;
    return { deaths, worker: new ShardCounters(counters).read(), engine: readCounters(memory) };
  }

  /** Closes all peers, ends native code, then the workers. After it the process can exit. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    clearInterval(this.watch);
    const control = new Control(this.control);
    control.askToStop();
    for (const { line } of this.places) line?.end('The server is shutting down.');
    // terminate() under a thread whose native code is alive would abort the process.
    if (await control.allDone(this.stalled.size > 0 ? SHORT_STOP_LIMIT : STOP_LIMIT)) {
      await this.pool.destroy();
      process.off('exit', this.onExit);
    } else {
      this.options.log('error', 'a worker thread did not stop in time', {});
    }
  }

  private stopBlocking(): void {
    const control = new Control(this.control);
    control.askToStop();
    // Native code that is alive would abort the process on its way out, and leave a core file with keys in it.
    if (!control.allDoneBlocking(SHORT_STOP_LIMIT)) process.kill(process.pid, 'SIGKILL');
  }

  private async startOn(shard: ShardNumber, thread: number): Promise<void> {
    const place = this.places[shard];
    if (!place) return;
    const { settings, rtpPort } = this.options;
    place.line?.end('The media worker has ended.');
    const line = new ShardLine((news) => {
      for (const listener of this.newsListeners) listener(shard, news);
    });
    place.line = line;
    const request: StartShard = {
      type: 'start',
      shard,
      line: line.remote,
      engine: this.engine,
      memory: place.memory,
      control: this.control,
      counters: place.counters,
      rings: this.rings,
      mirrorRings: this.mirrorRings,
      settings: { ...settings, rtpPort: rtpPort + shard },
    };
    await this.pool.run({ ...request, [queueOptionsSymbol]: { thread } }, { transferList: [line.remote] });
    place.thread = thread;
    place.restarts.started(performance.now());
    // Clients may come at once, before the next look.
    this.look();
  }

  private look(): void {
    const beats = this.places.map(({ thread, counters }) =>
      thread === null ? null : new ShardCounters(counters).get('heartbeat'),
    );
    const now = performance.now();
    const stalled = new Set(this.heartbeats.stale(beats, now));
    this.places.forEach((place, shard) => {
      if (place.thread === null || !stalled.has(shard)) {
        if (place.thread !== null && place.stalledSince !== null) {
          this.options.log('info', 'a media worker runs again', { shard });
        }
        place.stalledSince = null;
      } else if (place.stalledSince === null) {
        place.stalledSince = now;
        this.options.log('error', 'a media worker stands still; no new clients are placed there', { shard });
      } else if (this.options.stallLimit > 0 && now - place.stalledSince > this.options.stallLimit) {
        this.sayStuck(shard);
      }
    });
    this.stalled = stalled;
  }

  private lose(thread: number): void {
    // The id of a thread that has ended by itself is -1 by now: then it is the one that is not among the living.
    const living = new Set(Array.from(this.pool.threads, (worker) => worker.threadId));
    const isLost = (id: number | null) => id !== null && (id === thread || !living.has(id));
    const waiting = this.places.find(({ next }) => isLost(next));
    if (waiting) waiting.next = null;
    const shard = this.places.findIndex((place) => isLost(place.thread));
    const place = this.places[shard];
    if (!place || this.stopping) return;
    place.thread = null;
    place.line?.end('The media worker has ended.');
    place.deaths += 1;
    place.restarts.ended(performance.now());
    place.memory = createMemory();
    place.counters = createCounters();
    this.look();
    this.options.log('error', 'a media worker died; its peers are gone, a new one is starting', { shard });
    for (const listener of this.lostListeners) listener(shard);
  }

  /** Gives a new thread the place of one that died: at once, or later where the ones before it ended soon. */
  private async replace(thread: number): Promise<void> {
    const shard = this.places.findIndex((place) => place.thread === null && place.next === null);
    const place = this.places[shard];
    if (!place) return;
    place.next = thread;
    for (;;) {
      await elapse(place.restarts.wait, undefined, { ref: false });
      if (place.next !== thread || this.stopping) return;
      try {
        await this.startOn(shard, thread);
        place.next = null;
        this.options.log('info', 'a media worker was replaced', { shard });
        return;
      } catch (error) {
        place.restarts.ended(performance.now());
        const wait = place.restarts.wait;
        this.options.log('error', 'a media worker could not be replaced', { shard, wait, error: String(error) });
      }
    }
  }
}

const pinOf = (options: object | null): number =>
  options && 'thread' in options && typeof options.thread === 'number' ? options.thread : -1;
