import type { Complaints } from './complaints.js';
import type { NatsLink } from './nats.js';
import type { Seals } from './seal.js';

/** What nodes ask each other, by name, each with one answer; both are plain data. */
export interface Commands {
  /** An Admin request, as it came without its secret. The answer is Janus' reply. */
  admin: { ask: { document: Record<string, unknown> }; answer: Record<string, unknown> };
  /** Whether the node has this session. */
  session: { ask: { id: number }; answer: { here: boolean } };
  /** Puts a user out of a room. The answer says how many handles ended. */
  evict: { ask: { room: string; user: string; by: string | null }; answer: { handles: number } };
}

type Name = keyof Commands;
type Handlers = { [N in Name]: (ask: Commands[N]['ask']) => Promise<Commands[N]['answer']> };

interface Asked<N extends Name = Name> {
  to: string;
  name: N;
  ask: Commands[N]['ask'];
}

/** Milliseconds for a node to answer another. */
const ANSWER_LIMIT = 3_000;

export interface CommandParts {
  self: string;
  /** What the subjects begin with. */
  prefix: string;
  link: NatsLink;
  seals: Seals;
  complaints: Complaints;
}

/** Requests between nodes, over NATS: sealed, so that whoever may use NATS but does not know the secret commands nobody. */
export class Commander {
  readonly #parts: CommandParts;
  #handlers: Handlers | null = null;
  readonly counters = { asked: 0, answered: 0, refused: 0, failed: 0 };

  constructor(parts: CommandParts) {
    this.#parts = parts;
    parts.link.answer(this.#subject(parts.self), (text) => this.#answer(text));
  }

  /** What this node answers. */
  serve(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  /** @throws Error where the node does not answer, or refuses */
  async ask<N extends Name>(node: string, name: N, ask: Commands[N]['ask']): Promise<Commands[N]['answer']> {
    const { link, seals } = this.#parts;
    this.counters.asked += 1;
    try {
      const sealed = seals.seal('command', JSON.stringify({ to: node, name, ask } satisfies Asked<N>));
      const text = seals.open('command-answer', await link.request(this.#subject(node), sealed, ANSWER_LIMIT));
      if (text === null) throw new Error('its answer is not sealed as a node’s');
      const answer = JSON.parse(text) as { ok: true; answer: Commands[N]['answer'] } | { ok: false; reason: string };
      if (!answer.ok) throw new Error(answer.reason);
      return answer.answer;
    } catch (error) {
      this.counters.failed += 1;
      throw error;
    }
  }

  /** Asks all of these at once; those that do not answer are missing. */
  async askAll<N extends Name>(
    nodes: readonly string[],
    name: N,
    ask: Commands[N]['ask'],
  ): Promise<Map<string, Commands[N]['answer']>> {
    const answers = new Map<string, Commands[N]['answer']>();
    const asked = nodes.map(async (node) => {
      try {
        answers.set(node, await this.ask(node, name, ask));
      } catch (error) {
        const about = { node, what: name, error: String(error) };
        this.#parts.complaints.write('warn', 'a node did not answer', `${node} ${name}`, about);
      }
    });
    await Promise.all(asked);
    return answers;
  }

  #subject(node: string): string {
    return `${this.#parts.prefix}.node.${node}`;
  }

  async #answer(sealed: string): Promise<string | null> {
    const { seals, self, complaints } = this.#parts;
    const read = seals.read('command', sealed);
    const handlers = this.#handlers;
    if (!read.ok || !handlers) {
      this.counters.refused += 1;
      if (read.ok) return null;
      const { fault } = read;
      complaints.write('warn', 'refused a request over NATS: no proof of CLUSTER_SECRET', fault, { fault });
      return null;
    }
    const asked = JSON.parse(read.text) as Asked;
    if (asked.to !== self || !Object.hasOwn(handlers, asked.name)) return null;
    this.counters.answered += 1;
    const answer = await run(handlers, asked).then(
      (value) => ({ ok: true, answer: value }),
      (error: unknown) => ({ ok: false, reason: error instanceof Error ? error.message : String(error) }),
    );
    return seals.seal('command-answer', JSON.stringify(answer));
  }
}

function run<N extends Name>(handlers: Handlers, { name, ask }: Asked<N>): Promise<Commands[N]['answer']> {
  return handlers[name](ask);
}
