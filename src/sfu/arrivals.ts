/** Lets a subscriber wait for a publisher that is about to come: after a restart everybody joins within seconds. */
export class Arrivals {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Somebody who publishes came. */
  announce(user: string): void {
    const waiters = this.#waiters.get(user);
    this.#waiters.delete(user);
    for (const wake of waiters ?? []) wake();
  }

  /**
   * Waits for the next publisher with this user id. The bound on waiters is the caller's: one per handle.
   *
   * @param milliseconds how long at most
   * @returns true if somebody came, false when the time is over or the signal said stop
   */
  next(user: string, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (milliseconds <= 0 || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (came: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        this.#forget(user, wake);
        resolve(came);
      };
      const wake = () => done(true);
      const stop = () => done(false);
      const timer = setTimeout(stop, milliseconds);
      signal.addEventListener('abort', stop);
      const waiters = this.#waiters.get(user) ?? new Set();
      this.#waiters.set(user, waiters.add(wake));
    });
  }

  #forget(user: string, wake: () => void): void {
    const waiters = this.#waiters.get(user);
    waiters?.delete(wake);
    if (waiters?.size === 0) this.#waiters.delete(user);
  }
}
