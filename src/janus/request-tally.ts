import { Counts, OutcomeCounts } from '../observability/counts.js';
import { ERROR_CODES, JANUS_ERROR } from './errors.js';

/** Counts an API's requests by verb and outcome, and its errors by code. */
export class RequestTally {
  readonly #requests: OutcomeCounts;
  readonly #errors: Counts;

  /** @param verbs the last one stands for all that are unknown */
  constructor(verbs: readonly string[]) {
    this.#requests = new OutcomeCounts(verbs);
    const codes = ERROR_CODES.filter((code) => code !== JANUS_ERROR.UNKNOWN).map(String);
    this.#errors = new Counts([...codes, String(JANUS_ERROR.UNKNOWN)]);
  }

  /** Counts one request. @param code of the error that it was answered with; null = it was served */
  add(verb: string, code: number | null): void {
    this.#requests.add(verb, code === null ? 'success' : 'error');
    if (code !== null) this.#errors.add(String(code));
  }

  /** The way of a request's one direct reply, counted as it passes. */
  counting<Reply extends object>(verb: string, reply: (message: Reply) => void): (message: Reply) => void {
    return (message) => {
      this.add(verb, codeOf(message));
      reply(message);
    };
  }

  read() {
    return { requests: this.#requests.read(), errors: this.#errors.read() };
  }
}

function codeOf(message: object): number | null {
  if (!('error' in message)) return null;
  const { error } = message;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'number' ? code : JANUS_ERROR.UNKNOWN;
}
