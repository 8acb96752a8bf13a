import { EventEmitter } from 'node:events';

/** Something that changes and that a test can wait on: the condition is looked at after each change. */
export class Observable extends EventEmitter<{ change: [] }> {
  constructor() {
    super();
    this.setMaxListeners(0);
  }

  changed(): void {
    this.emit('change');
  }

  /** Resolves when `condition` holds; rejects after `limit` milliseconds, saying `what` did not come true. */
  async until(condition: () => boolean, what: string, limit = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.off('change', look);
        settle();
      };
      const look = () => {
        if (condition()) finish(resolve);
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`not within ${limit} ms: ${what}`))), limit);
      this.on('change', look);
    });
  }
}
