/** How long users of a cluster were without one of their room mates' media, each time. */
import { allSee, type NafLike } from './naf-like.js';

export interface Absence {
  /** Milliseconds until all media was back. */
  took: number;
  /** Milliseconds until the user was in the room again; 0 for one who only missed others. */
  joined: number;
}

interface Watched {
  user: NafLike;
  others: string[];
  since: number | null;
  joins: number;
  joined: number;
}

export class Absences {
  /** In the order in which they ended. */
  readonly ended: Absence[] = [];
  readonly #watched: { one: Watched; look: () => void }[];

  /** @param users who see all their room mates among these at the moment */
  private constructor(users: readonly NafLike[]) {
    this.#watched = users.map((user) => {
      const others = users.filter((other) => other !== user && other.room === user.room).map(({ id }) => id);
      const one: Watched = { user, others, since: null, joins: user.joins, joined: 0 };
      const look = () => this.#look(one);
      user.on('change', look);
      return { one, look };
    });
  }

  /**
   * Starts users, and watches them once all see each other.
   *
   * @param work what they live through; it may wait until all see each other again
   */
  static async during(
    users: readonly NafLike[],
    work: (whole: () => Promise<void>) => Promise<void>,
  ): Promise<Absences> {
    const whole = () => allSee(users);
    for (const user of users) user.start();
    await whole();
    const absences = new Absences(users);
    await work(whole);
    absences.#stop();
    return absences;
  }

  /** Milliseconds of the longest so far, those that last included. */
  get worst(): number {
    const now = performance.now();
    const lasting = this.#watched.map(({ one: { since } }) => (since === null ? 0 : now - since));
    return Math.max(0, ...this.ended.map(({ took }) => took), ...lasting);
  }

  #stop(): void {
    for (const { one, look } of this.#watched) one.user.off('change', look);
  }

  #look(one: Watched): void {
    const { user, others } = one;
    const whole = user.joined && others.every((other) => user.sees(other));
    const now = performance.now();
    if (!whole) one.since ??= now;
    if (one.since === null) return;
    if (user.joins > one.joins) {
      one.joins = user.joins;
      one.joined = now - one.since;
    }
    if (!whole) return;
    this.ended.push({ took: now - one.since, joined: one.joined });
    one.since = null;
    one.joined = 0;
  }
}
