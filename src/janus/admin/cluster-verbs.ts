import { type Envelope, type Fields, field, isObject } from '../envelope.js';
import { JANUS_ERROR } from '../errors.js';
import { AdminError, failed, optional, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';

/** A Janus reply of another node. */
type Reply = Record<string, unknown>;

/** The other nodes, as the Admin API asks and orders them. */
export interface AdminCluster {
  readonly id: string;
  /** All that live, this one too; `self` says which that is. */
  list(): { id: string; name: string; self: boolean; trusted: boolean; [fact: string]: unknown }[];
  /** Whether NATS is here. */
  readonly linked: boolean;
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
    return here();
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

  /** A list of all nodes' own lists; `missing` names the nodes that did not answer. */
  async #joined(envelope: Envelope, list: string, own: object): Promise<object> {
    const nodes = this.#cluster.list().filter(({ self, trusted }) => self || trusted);
    const answers = await Promise.all(
      nodes.map(async ({ id, name, self }) => {
        try {
          const answer = self ? own : fieldsOf(await this.#ask(id, envelope));
          return { name, items: listOf(answer, list).map((item) => withNode(item, name)) };
        } catch {
          return { name, items: null };
        }
      }),
    );
    const missing = answers.filter(({ items }) => items === null).map(({ name }) => name);
    return {
      ...own,
      [list]: answers.flatMap(({ items }) => items ?? []),
      ...(missing.length > 0 ? { missing } : {}),
    };
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

/** A room says which node it is on; a session is a number. */
function withNode(item: unknown, node: string): unknown {
  return isObject(item) ? { ...item, node } : item;
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
    list_nodes: () => ({ nodes: need().list(), nats: need().linked }),
    drain_node: (fields) => {
      const draining = optional(fields, 'draining', 'a boolean') ?? true;
      need().drain(draining);
      return { draining };
    },
  };
}
