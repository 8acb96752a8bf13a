/** One refusal, for an operator: its text is what the client was told. */
export interface RecentError {
  /** Milliseconds since 1970. */
  at: number;
  reason: string;
}

const KEPT = 5;
const REASON_LENGTH_MAX = 300;

/** The last refusals that a handle got, oldest first: what an operator asks for when somebody doesn't get in. */
export class RecentErrors {
  readonly #errors: RecentError[] = [];

  add(reason: string, at = Date.now()): void {
    this.#errors.push({ at, reason: reason.slice(0, REASON_LENGTH_MAX) });
    if (this.#errors.length > KEPT) this.#errors.shift();
  }

  list(): readonly RecentError[] {
    return this.#errors;
  }
}
