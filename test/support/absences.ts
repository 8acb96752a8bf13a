/** How long users of a cluster were without one of their room mates' media, each time. */
import type { NafLike } from './naf-like.js';

export class Absences {
  /** Milliseconds, in the order in which they ended. */
  readonly ended: number[] = [];
  readonly #watched: { user: NafLike; others: string[]; since: number | null; look: () => void }[];

  /** @param users who see all their room mates among these at the moment */
  constructor(users: readonly NafLike[]) {
    this.#watched = users.map((user) => {
      const others = users.filter((other) => other !== user && other.room === user.room).map(({ id }) => id);
      const look = () => this.#look(user);
      user.on('change', look);
      return { user, others, since: null, look };
    });
  }

  /** Milliseconds of the longest so far, those that last included. */
  get worst(): number {
    const now = performance.now();
    return Math.max(0, ...this.ended, ...this.#watched.map(({ since }) => (since === null ? 0 : now - since)));
  }

  stop(): void {
    for (const { user, look } of this.#watched) user.off('change', look);
  }

  #look(user: NafLike): void {
    const watched = this.#watched.find((one) => one.user === user);
    if (!watched) return;
    const whole = user.joined && watched.others.every((other) => user.sees(other));
    const now = performance.now();
    if (!whole) watched.since ??= now;
    else if (watched.since !== null) {
      this.ended.push(now - watched.since);
      watched.since = null;
    }
  }
}
