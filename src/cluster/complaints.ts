import type { Log, LogFields } from '../observability/log.js';

/** Milliseconds for which the same complaint is not written again. */
const SILENCE = 30_000;
/** Complaints that are remembered; with more the oldest are forgotten, and may be written again. */
const REMEMBERED_MAX = 1_000;

/** Writes to the log what may happen a thousand times a second, such as a stranger's knocking: each thing once in half a minute. */
export class Complaints {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #written = new Map<string, { at: number; kept: number }>();

  /** @param now milliseconds, monotonic */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * @param about with the message, what makes two complaints the same: a node, an address
   * @param fields `times` is added where it stands for more than one
   */
  write(level: 'warn' | 'error', message: string, about: string, fields: LogFields = {}): void {
    const key = JSON.stringify([message, about]);
    const now = this.#now();
    const last = this.#written.get(key);
    if (last && now - last.at < SILENCE) {
      last.kept += 1;
      return;
    }
    const times = 1 + (last?.kept ?? 0);
    this.#written.delete(key);
    this.#written.set(key, { at: now, kept: 0 });
    const [oldest] = this.#written.keys();
    if (this.#written.size > REMEMBERED_MAX && oldest !== undefined) this.#written.delete(oldest);
    this.#log(level, message, times > 1 ? { ...fields, times } : fields);
  }
}
