import { z } from 'zod';
import type { Ban } from '../sfu/ban-store.js';
import type { Bans } from '../sfu/bans.js';
import type { Bucket, Entry } from './nats.js';

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
  readonly #bucket: Pick<Bucket, 'put'>;
  /** Those that NATS does not have yet; `Bans` bounds how many there are. */
  readonly #waiting = new Map<string, Ban>();
  /** Those of them that NATS is being told of just now. */
  readonly #sending = new Set<string>();

  /** @param bucket makes the bucket that this listens to */
  constructor(bans: Bans, bucket: (listener: { entry(entry: Entry): void; complete(): void }) => Pick<Bucket, 'put'>) {
    this.#bans = bans;
    this.#bucket = bucket({ entry: (entry) => this.#learn(entry), complete: () => this.sweep() });
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

  #learn({ text, deleted }: Entry): void {
    const ban = deleted ? null : readBan(text);
    if (ban) void this.#bans.learn(ban);
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
