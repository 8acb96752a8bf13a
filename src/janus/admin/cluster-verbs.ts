import { type Envelope, type Fields, field } from '../envelope.js';
import { JANUS_ERROR } from '../errors.js';
import { AdminError, failed, optional, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';

/** A Janus reply of another node. */
type Reply = Record<string, unknown>;

/** The other nodes, as the Admin API asks and orders them. */
export interface AdminCluster {
  readonly id: string;
  /** All that live, this one too; `self` says which that is. */
  list(): { id: string; name: string; self: boolean; [fact: string]: unknown }[];
  /** Takes no new rooms from now on, or takes them again. */
  drain(draining: boolean): void;
  /** @throws Error where it does not answer */
  ask(node: string, document: Fields): Promise<Reply>;
  /** The node that has a session which this one has not; null if none has it. */
  findSession(id: number): Promise<string | null>;
  evict(room: string, user: string): Promise<number>;
}

/** What the document of a request becomes for another node: its secret stays here, and it is served there alone. */
function passedOn({ fields }: Envelope): Fields {
  const { admin_secret: _secret, node: _node, ...rest } = fields;
  return rest;
}

/** The fields of another node's success. @throws AdminError with its error */
function fieldsOf(reply: Reply): object {
  const { janus, transaction: _transaction, session_id: _session, error, ...rest } = reply;
  if (janus === 'success') return rest;
  const { code, reason } = (error ?? {}) as { code?: unknown; reason?: unknown };
  throw new AdminError({
    code: typeof code === 'number' ? code : JANUS_ERROR.UNKNOWN,
    reason: typeof reason === 'string' ? reason : 'The other node said nothing that could be read.',
  });
}

/** Verbs that are about all nodes unless a request names one, and the list in their answers that grows. */
const LISTS: Readonly<Record<string, string>> = { list_sessions: 'sessions', list_rooms: 'rooms' };
/** Verbs that change the same thing on every node. */
const EVERYWHERE = new Set(['add_token', 'allow_token', 'disallow_token', 'remove_token']);

/** Serves the Admin requests of a cluster, by whichever node they are about. */
export class ClusterVerbs {
  readonly #cluster: AdminCluster;
  readonly #log: AdminParts['log'];

  constructor(cluster: AdminCluster, log: AdminParts['log']) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** The answer to a request about the server, of one node or all; `here` serves it on this one. */
  async ofServer(envelope: Envelope, here: () => Promise<object>): Promise<object> {
    const { verb, fields } = envelope;
    const named = optional(fields, 'node', 'a string');
    if (named !== undefined) {
      const node = this.#find(named);
      return node === this.#cluster.id ? here() : fieldsOf(await this.#ask(node, envelope));
    }
    const list = LISTS[verb];
    if (list !== undefined) return this.#joined(envelope, list, await here());
    if (verb === 'kick') return this.#kick(fields, here);
    if (!EVERYWHERE.has(verb)) return here();
    // Also where this node refuses: it may be that only others know the token.
    const [answer] = await Promise.allSettled([here(), this.#askOthers(envelope)]);
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }

  /** The answer to a request about a session that is not here, or its handle; null if no node has it. */
  async ofSession(envelope: Envelope): Promise<object | null> {
    const node = await this.#cluster.findSession(envelope.sessionId);
    return node === null ? null : fieldsOf(await this.#ask(node, envelope));
  }

  #find(named: string): string {
    const found = this.#cluster.list().find(({ id, name }) => id === named || name === named);
    if (!found)
      throw failed(`There is no node ${JSON.stringify(named.slice(0, 100))}; list_nodes says which there are.`);
    return found.id;
  }

  async #ask(node: string, envelope: Envelope): Promise<Reply> {
    try {
      return await this.#cluster.ask(node, passedOn(envelope));
    } catch (error) {
      this.#log('warn', 'a node did not answer an admin request', {
        node,
        verb: envelope.verbText,
        error: String(error),
      });
      throw failed('The node that this is about does not answer.');
    }
  }

  /** Answers of the others; those that do not answer are missing. */
  async #askOthers(envelope: Envelope): Promise<object[]> {
    const others = this.#cluster.list().filter(({ self }) => !self);
    const answers = await Promise.all(
      others.map(async ({ id }) => {
        try {
          return fieldsOf(await this.#ask(id, envelope));
        } catch {
          return {};
        }
      }),
    );
    return answers;
  }

  async #joined(envelope: Envelope, list: string, own: object): Promise<object> {
    const all = [own, ...(await this.#askOthers(envelope))];
    return { ...own, [list]: all.flatMap((answer) => listOf(answer, list)) };
  }

  async #kick(fields: Fields, here: () => Promise<object>): Promise<object> {
    try {
      return await here();
    } catch (error) {
      const room = required(fields, 'room_id', 'a string');
      const handles = await this.#cluster.evict(room, required(fields, 'user_id', 'a string')).catch(() => 0);
      if (handles === 0) throw error;
      return { handles };
    }
  }
}

function listOf(answer: object, name: string): unknown[] {
  const value = field(answer as Fields, name);
  return Array.isArray(value) ? value : [];
}

/** The verbs about the cluster itself. */
export function clusterVerbs({ cluster }: Pick<AdminParts, 'cluster'>): Record<string, ServerVerb> {
  const need = (): AdminCluster => {
    if (!cluster) throw failed('This server is alone: it is one of a cluster where NATS_URL is set (docs/cluster.md).');
    return cluster;
  };
  return {
    list_nodes: () => ({ nodes: need().list() }),
    drain_node: (fields) => {
      const draining = optional(fields, 'draining', 'a boolean') ?? true;
      need().drain(draining);
      return { draining };
    },
  };
}
