import { lookup } from 'node:dns/promises';

/** What asking the name service came to. */
export type Resolved = { ok: true; address: string } | { ok: false; reason: string };

/** Milliseconds. The system's resolver can't be stopped; its answer is then nobody's. */
const TIME_LIMIT = 5000;
/** Each takes a thread of the process's small pool until it ends. */
const AT_ONCE_MAX = 2;
/** RFC 1035 2.3.4. */
const NAME_LENGTH_MAX = 253;

/** Resolves names for operators, as the machine's own settings say, with a limit on time and number. */
export class Resolver {
  #running = 0;

  async resolve(name: string): Promise<Resolved> {
    if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
      return { ok: false, reason: `A name has 1 to ${NAME_LENGTH_MAX} characters.` };
    }
    if (this.#running >= AT_ONCE_MAX) return { ok: false, reason: 'Other names are being resolved; try again.' };
    this.#running += 1;
    const found = lookup(name).then(
      ({ address }): Resolved => ({ ok: true, address }),
      (error: NodeJS.ErrnoException): Resolved => ({ ok: false, reason: error.code ?? error.message }),
    );
    void found.then(() => {
      this.#running -= 1;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Resolved>((resolve) => {
      const reason = `No answer within ${TIME_LIMIT / 1000} s.`;
      timer = setTimeout(() => resolve({ ok: false, reason }), TIME_LIMIT);
    });
    const first = await Promise.race([found, late]);
    clearTimeout(timer);
    return first;
  }
}
