/** Nodes of a cluster, each a real server in a process of its own, and what they share. */
import { ADMIN_SECRET, type Ask, adminOverHttp } from './admin-client.js';
import { JanusClient } from './janus-client.js';
import { NatsServer } from './nats.js';
import { type RunningServer, startServer } from './server.js';

export const CLUSTER_SECRET = 'the secret of a cluster that exists for one test';

export interface Node {
  readonly name: string;
  readonly server: RunningServer;
  readonly admin: Ask;
}

export class TestCluster {
  readonly nats: NatsServer;
  readonly nodes: Node[] = [];
  readonly #env: Record<string, string>;
  #names = 0;

  private constructor(nats: NatsServer, env: Record<string, string>) {
    this.nats = nats;
    this.#env = env;
  }

  /** Runs `body` with so many nodes; a failure says what they wrote. */
  static async open(
    count: number,
    env: Record<string, string>,
    body: (cluster: TestCluster) => Promise<void>,
  ): Promise<void> {
    const cluster = new TestCluster(await NatsServer.start(), env);
    try {
      await Promise.all(Array.from({ length: count }, () => cluster.add()));
      cluster.nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
      await cluster.complete();
      await body(cluster);
    } catch (error) {
      const written = cluster.nodes.map(({ name, server }) => `${name}:\n${server.output().slice(-6_000)}`);
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(`${message}\n${written.join('\n')}`, { cause: error });
    } finally {
      await cluster.close();
    }
  }

  /** Starts one more node. */
  async add(env: Record<string, string> = {}): Promise<Node> {
    this.#names += 1;
    const name = `node${this.#names}`;
    const server = await startServer({
      env: {
        ADMIN_SECRET,
        NATS_URL: this.nats.url,
        CLUSTER_SECRET,
        CLUSTER_NODE: name,
        CLUSTER_BIND: '127.0.0.1',
        CLUSTER_PORT: '0',
        ...this.#env,
        ...env,
      },
    });
    const node = { name, server, admin: adminOverHttp(server) };
    this.nodes.push(node);
    return node;
  }

  node(index: number): Node {
    const node = this.nodes[index % this.nodes.length];
    if (!node) throw new Error('the cluster has no nodes');
    return node;
  }

  /** Waits until each node knows of all. */
  async complete(count = this.nodes.length): Promise<void> {
    for (const { admin } of this.nodes) {
      await until(
        async () => ((await admin({ janus: 'list_nodes' })).nodes as unknown[]).length === count,
        'all nodes',
      );
    }
  }

  /**
   * Makes an empty room on a node, which keeps it for a while: a room goes where the first comes in who does not say it.
   * All nodes know of it then.
   */
  async place(room: string, node: Node): Promise<void> {
    await visit(node.server.wsUrl, room);
    for (const { name, server } of this.nodes) {
      await until(() => visit(`${server.wsUrl}/?room=${encodeURIComponent(room)}`, room), `${name} knows ${room}`);
    }
  }

  /** Who has a room, as a node's list of rooms says: names of nodes. */
  async owners(room: string): Promise<string[]> {
    const owners: string[] = [];
    for (const { name, admin } of this.nodes) {
      const reply = await admin({ janus: 'list_rooms', node: name, room_id: room });
      // A node that can't be asked at the moment says nothing.
      if (((reply.rooms ?? []) as unknown[]).length > 0) owners.push(name);
    }
    return owners;
  }

  /**
   * Restarts all nodes in turn: each ends when its time to drain is over (DRAIN_TIMEOUT), and another comes in its place.
   *
   * @param next called when a node has been replaced
   */
  async restartAll(next: () => Promise<void>): Promise<void> {
    for (const old of [...this.nodes]) {
      // As a balancer sees it: it takes no new clients.
      this.nodes.splice(this.nodes.indexOf(old), 1);
      const code = await old.server.stop();
      if (code !== 0) throw new Error(`${old.name} ended with ${code}:\n${old.server.output()}`);
      await this.add();
      await this.complete();
      await next();
    }
  }

  /** Ends a node as if its machine had lost power. */
  async kill(node: Node): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    node.server.process.kill('SIGKILL');
    await node.server.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
    await this.nats.remove();
  }
}

/** @returns whether a client could join */
async function visit(url: string, room: string): Promise<boolean> {
  const client = await JanusClient.connect(url);
  const joined = await client.join(room, 'a visitor', { data: true }).then(
    () => true,
    () => false,
  );
  await client.close();
  return joined;
}

const POLL = 50;

/** Asks again and again, for what no event tells. */
export async function until(condition: () => Promise<boolean> | boolean, what: string, limit = 15_000): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}
