import { z } from 'zod';
import type { Ban } from '../sfu/ban-store.js';
import type { Bans } from '../sfu/bans.js';
import type { Bucket, Entry } from './bucket.js';

const record = z.object({ token: z.string().regex(/^[\w-]{43}$/), expires: z.number() });

function readBan(text: string): Ban | null {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The banned tokens of all nodes: what one bans, all refuse. Without NATS a ban works here, and is passed on later. */
export class SharedBans {
  readonly #bans: Bans;
  readonly #bucket: Pick<Bucket, 'put' | 'delete'>;
  /** Those that NATS does not have yet; `Bans` bounds how many there are. */
  readonly #waiting = new Map<string, Ban>();
  /** Those of them that NATS is being told of just now. */
  readonly #sending = new Set<string>();

  /** @param bucket makes the bucket that this listens to */
  constructor(
    bans: Bans,
    bucket: (listener: {
      entry(entry: Entry): void;
      complete(keys: ReadonlySet<string>): void;
    }) => Pick<Bucket, 'put' | 'delete'>,
  ) {
    this.#bans = bans;
    this.#bucket = bucket({ entry: (entry) => this.#learn(entry), complete: (keys) => this.#complete(keys) });
    bans.onBan((ban) => void this.#share(ban));
  }

  async #share(ban: Ban): Promise<void> {
    const { token } = ban;
    this.#waiting.set(token, ban);
    this.#sending.add(token);
    try {
      await this.#bucket.put(token, JSON.stringify(ban));
      this.#waiting.delete(token);
    } catch {
      // It is passed on when NATS takes it.
    } finally {
      this.#sending.delete(token);
    }
  }

  #learn({ key, text, deleted }: Entry): void {
    const ban = deleted ? null : readBan(text);
    if (!ban) return;
    if (!this.#bans.isOver(ban)) return void this.#bans.learn(ban);
    // The token is of no use any more: neither is the ban. Who is told of it next tries again if this fails.
    this.#bucket.delete(key).catch(() => {});
  }

  /** All that there is in NATS was read: what this node has kept and NATS has not, it is told of anew. */
  #complete(keys: ReadonlySet<string>): void {
    for (const ban of this.#bans.all()) if (!keys.has(ban.token)) this.#waiting.set(ban.token, ban);
    this.sweep();
  }

  /** Tries again what NATS has not taken; to be called every few seconds. */
  sweep(): void {
    for (const ban of [...this.#waiting.values()]) {
      if (this.#sending.has(ban.token)) continue;
      if (this.#bans.has(ban.token)) void this.#share(ban);
      else this.#waiting.delete(ban.token);
    }
  }
}
