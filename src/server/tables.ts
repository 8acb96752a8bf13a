/**
 * The tables on disk: blocks, and bans of tokens. What can't be read is put aside before it is opened, so that it takes nothing
 * down; what can't be opened is in memory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.js';
import type { Log } from '../observability/log.js';
import { type BanStore, MemoryBanStore, openLmdbBanStore } from '../sfu/ban-store.js';
import { type BlockStore, MemoryBlockStore, openLmdbBlockStore } from '../sfu/block-store.js';
import { BufferedBlockStore } from '../sfu/buffered-block-store.js';

const PROBE = fileURLToPath(new URL('../sfu/table-probe.js', import.meta.url));

const BLOCKS = 'blocks';
const BANS = 'bans';

interface TablesState {
  /** Tables whose files were damaged: a copy of each is kept, and a new one is begun. */
  damaged: string[];
  /** Those of them whose files could not even be moved: they must not be opened. */
  unusable: string[];
}

/** The first of the tables that can't be read; null = all can be. */
async function unreadable(folder: string, names: string[]): Promise<string | null> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [PROBE, folder, ...names], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    const [code] = await once(child, 'close');
    return code === 0 ? null : (said.trimEnd().split('\n').at(-1) ?? null);
  } catch {
    // No process to be had: no reason to think ill of the files.
    return null;
  }
}

/**
 * Looks at the tables of a folder, and puts the files aside that can't be read.
 *
 * @param names of tables, whether they are there or not
 */
async function mendTables(folder: string, names: string[], log: Log): Promise<TablesState> {
  const state: TablesState = { damaged: [], unusable: [] };
  const fileOf = (name: string) => path.join(folder, `${name}.lmdb`);
  for (let left = names.filter((name) => existsSync(fileOf(name))); left.length > 0; ) {
    const name = await unreadable(folder, left);
    if (name === null || !left.includes(name)) break;
    left = left.slice(left.indexOf(name) + 1);
    state.damaged.push(name);
    const copy = `${fileOf(name)}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
    try {
      renameSync(fileOf(name), copy);
      rmSync(`${fileOf(name)}-lock`, { force: true });
      const reason = `it is damaged; it was kept as ${copy}, and an empty one takes its place: put a backup in its place and restart`;
      log('error', 'a store can not be read', { store: name, reason });
    } catch (error) {
      state.unusable.push(name);
      const reason = `it is damaged and can not be moved (${String(error)}); until the next restart, memory takes its place`;
      log('error', 'a store can not be read', { store: name, reason });
    }
  }
  return state;
}

/** The stores of a server, and what is wrong with them. */
export class Tables {
  readonly #config: Config;
  readonly #log: Log;
  readonly #state: TablesState;
  readonly #blocks: BufferedBlockStore | null;
  readonly #inMemory: BlockStore = new MemoryBlockStore();

  private constructor(config: Config, log: Log, state: TablesState) {
    this.#config = config;
    this.#log = log;
    this.#state = state;
    const disk = this.#open(BLOCKS, () => openLmdbBlockStore(config.DATA_DIR));
    this.#blocks = disk && new BufferedBlockStore(disk, log);
  }

  static async open(config: Config, log: Log): Promise<Tables> {
    const kept = config.BLOCK_STORE !== 'memory';
    const none: TablesState = { damaged: [], unusable: [] };
    return new Tables(config, log, kept ? await mendTables(config.DATA_DIR, [BLOCKS, BANS], log) : none);
  }

  get blocks(): BlockStore {
    return this.#blocks ?? this.#inMemory;
  }

  openBans(): BanStore {
    return this.#open(BANS, () => openLmdbBanStore(this.#config.DATA_DIR)) ?? new MemoryBanStore();
  }

  /** A text for each thing that a restart would lose, or that was lost; none = all is well. */
  problems(): string[] {
    if (this.#config.BLOCK_STORE === 'memory') return [];
    const unsaved = this.#blocks?.unsaved ?? 0;
    return [
      ...this.#state.damaged.map((name) => `the store of ${name} was damaged and begun anew`),
      ...(this.#blocks ? [] : ['blocks are kept in memory alone']),
      ...(unsaved > 0 ? [`${unsaved} blocks can not be saved`] : []),
    ];
  }

  /** Null where it can't be: no reason to turn everybody away, it then works until the server ends. */
  #open<Store>(name: string, open: () => Store): Store | null {
    const { BLOCK_STORE, DATA_DIR: folder } = this.#config;
    if (BLOCK_STORE === 'memory' || this.#state.unusable.includes(name)) return null;
    try {
      return open();
    } catch (error) {
      const reason = `${name} will be lost at the next restart: make DATA_DIR writable (${String(error)})`;
      this.#log('error', 'a store can not be opened', { store: name, folder, reason });
      return null;
    }
  }
}
