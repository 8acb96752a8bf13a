/** What a server holds at one moment: memory, files, threads, timers, and the tables that its metrics tell of. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Faults } from '../../test/support/faults.js';
import type { RunningServer } from '../../test/support/server.js';
import { residentBytes } from '../load/process-stats.js';

export interface ServerState {
  /** Seconds since the soak began. */
  at: number;
  /** MiB. */
  resident: number;
  /** MiB of it that are no file's pages: what the process itself wrote. */
  anonymous: number;
  files: number;
  threads: number;
  users: number;
  sessions: number;
}

export interface RestingState extends ServerState {
  /** MiB of objects and of buffers, of the main thread and of the workers together, garbage collected. */
  heap: number;
  buffers: number;
  /** Timers of all threads. */
  timers: number;
  /** Copies of the native addon that are mapped: of living workers, and of dead ones whose copy the loader still keeps. */
  addons: number;
  /** Entries by table, the sum over the shards. */
  tables: Record<string, number>;
}

const MIB = 2 ** 20;
/** Tables that are empty when nobody is there, by metric. */
export const EMPTY_TABLES = [
  'sessions',
  'handles',
  'rooms',
  'users',
  'publishers',
  'subscribers',
  'shard_peers',
  'up_tracks',
  'down_tracks',
  'blocked_pairs',
] as const;

/** Linux' proc(5). */
function anonymousBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function mappedAddons(pid: number): number {
  return new Set(readFileSync(`/proc/${pid}/maps`, 'utf8').match(/janus-sfu-\S+\.node/g)).size;
}

async function metrics(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { Connection: 'close' } })).text();
  return (name) =>
    [...text.matchAll(new RegExp(`^janus_sfu_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
}

export class Observer {
  readonly #server: RunningServer;
  readonly #faults: Faults;
  readonly #workers: number;
  readonly #began = performance.now();

  constructor(server: RunningServer, faults: Faults, workers: number) {
    this.#server = server;
    this.#faults = faults;
    this.#workers = workers;
  }

  async look(): Promise<ServerState> {
    const { pid, httpUrl } = this.#server;
    const metric = await metrics(httpUrl);
    return {
      at: (performance.now() - this.#began) / 1000,
      resident: residentBytes(pid) / MIB,
      anonymous: anonymousBytes(pid) / MIB,
      files: readdirSync(`/proc/${pid}/fd`).length,
      threads: readdirSync(`/proc/${pid}/task`).length,
      users: metric('users'),
      sessions: metric('sessions'),
    };
  }

  /** To be asked when nobody is there. */
  async rest(): Promise<RestingState> {
    const threads = ['main' as const, ...Array.from({ length: this.#workers }, (_, shard) => shard)];
    const figures = await Promise.all(threads.map((thread) => this.#faults.figures(thread)));
    const total = (read: (one: (typeof figures)[number]) => number) => figures.reduce((sum, one) => sum + read(one), 0);
    const metric = await metrics(this.#server.httpUrl);
    const state = await this.look();
    const tables = Object.fromEntries(EMPTY_TABLES.map((name) => [name, metric(name)]));
    return {
      ...state,
      heap: total(({ heapUsed }) => heapUsed) / MIB,
      buffers: total(({ external }) => external) / MIB,
      timers: total(({ resources }) => resources.Timeout ?? 0),
      addons: mappedAddons(this.#server.pid),
      tables: { ...tables, packet_slots_held: metric('packet_slots') - metric('packet_slots_free') },
    };
  }
}
