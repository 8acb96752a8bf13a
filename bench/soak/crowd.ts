/**
 * Users of a soak, in a process of their own that the soak may kill: they come, publish, subscribe, block, talk, lose packets and
 * go, one thing after the other, drawn by a seed. Started as a program: `crowd.js URL ROOM SEED`.
 *
 * On `rest` all leave, and it says so; on `go on` they start anew.
 */
import { fileURLToPath } from 'node:url';
import { ServerProxy } from '../../test/support/lossy-proxy.js';
import { User } from '../../test/support/peer.js';
import { Random } from '../../test/support/random.js';

export type CrowdOrder = 'rest' | 'go on';

/** What a crowd has done so far, by what it was; `failed` is what a fault of the soak got in the way of. */
export type CrowdCounts = Record<string, number>;

export interface CrowdReport {
  resting: boolean;
  counts: CrowdCounts;
}

const USERS_MAX = 5;
/** Milliseconds from one action to the next. */
const PACE = 700;
/** Packets a second of each publisher: a soak is about time, not about load. */
const RATES = { audioPps: 10, videoPps: 10 };
/** Milliseconds for anything that needs the server. */
const PATIENCE = 8_000;

class Crowd {
  readonly #url: string;
  readonly #room: string;
  readonly #random: Random;
  readonly #users: User[] = [];
  readonly #counts: CrowdCounts = {};
  readonly #proxies = new Map<User, ServerProxy>();
  #comers = 0;
  #resting = false;
  #wake = () => {};

  constructor(url: string, room: string, seed: number) {
    this.#url = url;
    this.#room = room;
    this.#random = new Random(seed);
  }

  order(order: CrowdOrder): void {
    this.#resting = order === 'rest';
    this.#wake();
  }

  async run(tell: (report: CrowdReport) => void): Promise<never> {
    for (;;) {
      if (this.#resting) {
        await Promise.all(this.#users.splice(0).map((user) => this.#discard(user)));
        tell({ resting: true, counts: this.#counts });
        while (this.#resting) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
      const action = this.#choose();
      try {
        await withinTime(this.#act(action), PATIENCE);
        this.#count(action);
      } catch {
        this.#count('failed');
        await this.#leave();
      }
      tell({ resting: false, counts: this.#counts });
      await new Promise((resolve) => setTimeout(resolve, PACE));
    }
  }

  #choose(): string {
    if (this.#users.length < 2) return 'enter';
    const actions = ['subscribe', 'subscribe', 'block', 'unblock', 'talk', 'lose', 'restart', 'leave', 'cut', 'enter'];
    const action = this.#random.pick(actions);
    return action === 'enter' && this.#users.length >= USERS_MAX ? 'leave' : action;
  }

  async #act(action: string): Promise<void> {
    const user = this.#users.length > 0 ? this.#random.pick(this.#users) : null;
    const other = this.#users.length > 1 ? this.#random.pick(this.#users.filter((one) => one !== user)) : null;
    switch (action) {
      case 'enter':
        await this.#enter();
        break;
      case 'leave':
        await this.#leave();
        break;
      case 'cut':
        // No farewell: the server sees the connection end, and nothing else.
        user?.socket.terminate();
        await this.#leave(user);
        break;
      case 'subscribe':
        if (user && other) await this.#subscribe(user, other);
        break;
      case 'block':
        if (other) await user?.publishers[0]?.block(other.id);
        break;
      case 'unblock':
        if (other) await user?.publishers[0]?.unblock(other.id);
        break;
      case 'talk':
        await user?.publishers[0]?.say(
          this.#random.pick(['reliable', 'unreliable']),
          'x'.repeat(this.#random.below(2000)),
        );
        break;
      case 'restart':
        await user?.publishers[0]?.restart();
        break;
      case 'lose': {
        const [proxy] = this.#proxies.values();
        const percent = this.#random.below(30);
        if (proxy) proxy.lose = () => this.#random.below(100) < percent;
        break;
      }
    }
  }

  async #enter(): Promise<void> {
    this.#comers += 1;
    const user = await User.connect(this.#url, this.#room, `${this.#room} ${process.pid} ${this.#comers}`);
    this.#users.push(user);
    const proxy = await ServerProxy.start();
    this.#proxies.set(user, proxy);
    const publisher = await user.publish(this.#random.once(2) ? { via: proxy.via } : {});
    publisher.start(RATES);
  }

  async #subscribe(user: User, source: User): Promise<void> {
    const subscriber = user.subscribers.length >= 3 ? user.subscribers.shift() : null;
    if (subscriber) {
      await subscriber.handle.detach();
      await subscriber.close();
    }
    await user.subscribe(source.id, { countOnly: true });
  }

  async #leave(user: User | null = this.#users[0] ?? null): Promise<void> {
    const at = user ? this.#users.indexOf(user) : -1;
    if (!user || at < 0) return;
    this.#users.splice(at, 1);
    await this.#discard(user);
  }

  async #discard(user: User): Promise<void> {
    this.#proxies.get(user)?.close();
    this.#proxies.delete(user);
    await withinTime(user.close(), PATIENCE).catch(() => this.#count('failed'));
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }
}

async function withinTime(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), milliseconds);
  });
  work.catch(() => {});
  try {
    await Promise.race([work, late]);
  } finally {
    if (timer) clearTimeout(timer);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = '', room = '', seed = '0'] = process.argv.slice(2);
  const crowd = new Crowd(url, room, Number(seed));
  process.on('message', (order: CrowdOrder) => crowd.order(order));
  process.once('disconnect', () => process.exit(0));
  // Faults end requests that somebody waits for no more.
  process.on('unhandledRejection', () => {});
  await crowd.run((report) => process.connected && process.send?.(report));
}
