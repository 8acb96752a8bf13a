/** NATS dies, stands still or can't be reached by one of the nodes: what goes on meanwhile, and what is settled afterwards. */
import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { type Node, TestCluster, until } from '../support/cluster.js';
import { ClusterCall } from '../support/cluster-call.js';
import { type ClientHandle, dataOf, JanusClient, refusalOf } from '../support/janus-client.js';
import { CookieJar, NafLike } from '../support/naf-like.js';
import { natsMissing } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';

after(releaseNative);

const SERVICE_RESTART = 1012;

interface Fault {
  name: string;
  /** The nodes that are without NATS by it. */
  away: readonly Node[];
  begin(): Promise<void> | void;
  heal(): Promise<void> | void;
  /** What else happens before it is mended. */
  meanwhile?(): Promise<void>;
  /** And what that must have led to. */
  afterwards?(): Promise<void>;
}

async function gauge(node: Node, name: string): Promise<number> {
  const text = await (await fetch(`${node.server.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^\\S*_cluster_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Somebody who is in a room of one node, and may come to others, with the same users in each. */
interface Pair {
  room: string;
  ann: JanusClient;
  bob: JanusClient;
  annsHandle: ClientHandle;
}

async function pair(cluster: TestCluster, node: Node): Promise<Pair> {
  const room = `pair on ${node.name}`;
  await cluster.place(room, node);
  const url = `${node.server.wsUrl}/?room=${encodeURIComponent(room)}`;
  const [ann, bob] = await Promise.all([JanusClient.connect(url), JanusClient.connect(url)]);
  const annsHandle = await ann.join(room, 'ann', { data: true, notifications: true });
  await bob.join(room, 'bob', { data: true, notifications: true });
  return { room, ann, bob, annsHandle };
}

/** A cluster of which one node, `far`, may lose NATS alone; with calls and users in rooms of both sides. */
class Scene {
  readonly cluster: TestCluster;
  readonly #t: Pick<TestContext, 'diagnostic'>;
  readonly #near: Node;
  readonly #far: Node;
  readonly #calls: ClusterCall[] = [];
  readonly #pairs: Pair[] = [];
  readonly #users: NafLike[] = [];
  #blocked = false;

  constructor(t: Pick<TestContext, 'diagnostic'>, cluster: TestCluster, near: Node, far: Node) {
    this.#t = t;
    this.cluster = cluster;
    this.#near = near;
    this.#far = far;
  }

  async open(): Promise<void> {
    for (const node of [this.#near, this.#far]) {
      const room = `call on ${node.name}`;
      await this.cluster.place(room, node);
      this.#calls.push(await ClusterCall.open(room, [this.#near.server.wsUrl, this.#far.server.wsUrl]));
      this.#pairs.push(await pair(this.cluster, node));
    }
  }

  async close(): Promise<void> {
    const clients = this.#pairs.flatMap(({ ann, bob }) => [ann.close(), bob.close()]);
    await Promise.all([...this.#users, ...this.#calls].map((one) => one.close()));
    await Promise.all(clients);
  }

  /** A user without media, who comes back whenever the connection is closed. @param hint whether the address says the room */
  async arrive(node: Node, room: string, id: string, hint = true): Promise<NafLike> {
    const user = new NafLike({ url: () => node.server.wsUrl, room, id, hint, jar: new CookieJar(), media: false });
    this.#users.push(user);
    user.start();
    await user.until(() => user.joined, `${id} is in ${room}`, 30_000);
    return user;
  }

  async survive({ name, away, begin, heal, meanwhile, afterwards }: Fault): Promise<void> {
    const [near, far] = this.#pairs as [Pair, Pair];
    for (const call of this.#calls) call.look();
    const began = performance.now();
    const step = (what: string) =>
      this.#t.diagnostic(`${name}: ${what} at ${Math.round(performance.now() - began)} ms`);
    await begin();
    const verb = this.#blocked ? 'unblock' : 'block';
    this.#blocked = !this.#blocked;
    const event = `${verb}ed`;
    const marks = this.#pairs.map(({ bob }) => bob.received.length);
    assert.equal(refusalOf(await far.ann.message(far.annsHandle, { kind: verb, whom: 'bob' })), null);
    const told = ({ bob }: Pair, mark = 0) =>
      bob.until((one) => dataOf(one).event === event, `${name}: bob is ${event}`, mark);
    await told(far, marks[1]);
    step(`${event} where it was said`);
    for (const node of away)
      await until(async () => (await gauge(node, 'nats_up')) === 0, `${node.name} notices: ${name}`);

    step('noticed');
    const room = `new while ${name}`;
    const [here, there] = await Promise.all([
      this.arrive(this.#near, room, 'here', false),
      this.arrive(this.#far, room, 'there', false),
    ]);
    assert.equal(await gauge(this.#far, 'rooms_unconfirmed'), 1, 'the node that was asked serves a new room, marked');
    await this.arrive(this.#far, near.room, `late, ${name}`);
    await near.ann.until(
      (one) => dataOf(one).user_id === `late, ${name}`,
      'who comes to a known room finds the others',
    );
    await meanwhile?.();
    for (const call of this.#calls) await call.undisturbed(`while ${name}`);

    step('healing');
    await heal();
    for (const node of this.cluster.nodes) {
      await until(async () => (await gauge(node, 'nats_up')) === 1, `${node.name} is back: ${name}`);
      await until(async () => (await gauge(node, 'rooms_unconfirmed')) === 0, `${node.name} is settled: ${name}`);
      await until(async () => (await gauge(node, 'blocks_waiting')) === 0, `blocks of ${node.name}: ${name}`);
    }
    await told(near, marks[0]);
    step(`${event} everywhere`);
    await until(async () => (await this.cluster.owners(room)).length === 1, 'a room of two nodes is on one');
    const sent = [here, there].filter(({ closed }) => closed.includes(SERVICE_RESTART));
    assert.equal(sent.length, 1, 'one of them was sent to the other');
    await Promise.all([here, there].map((user) => user.until(() => user.joined, 'both are in it')));
    await afterwards?.();
    step('all settled');
    await this.cluster.complete();
    for (const call of this.#calls) await call.undisturbed(`after ${name}`);
  }
}

describe('a cluster', { skip: natsMissing() }, () => {
  test('goes on while NATS is dead or stands still: media, known rooms, new ones, blocks; and is of one mind again', {
    timeout: 120_000,
  }, async (t) => {
    await TestCluster.open(3, { METRICS: 'true' }, async (cluster) => {
      const { nats, nodes } = cluster;
      const scene = new Scene(t, cluster, cluster.node(0), cluster.node(1));
      try {
        await scene.open();
        await scene.survive({ name: 'NATS is dead', away: nodes, begin: () => nats.stop(), heal: () => nats.run() });
        await scene.survive({
          name: 'NATS stands still',
          away: nodes,
          begin: () => nats.kill('SIGSTOP'),
          heal: () => nats.kill('SIGCONT'),
        });
      } finally {
        await scene.close();
      }
    });
  });

  test('goes on while a node is cut off from NATS, or all its bytes get lost, and brings clients together again', {
    timeout: 120_000,
  }, async (t) => {
    await TestCluster.open(2, { METRICS: 'true' }, async (cluster) => {
      const { nats } = cluster;
      const proxy = await TcpProxy.start(nats.port);
      const far = await cluster.add({ NATS_URL: nats.urlAt(proxy.port) });
      await cluster.complete();
      const near = cluster.node(0);
      const scene = new Scene(t, cluster, near, far);
      try {
        await scene.open();
        await scene.survive({
          name: 'its bytes get lost',
          away: [far],
          begin: () => proxy.hold(),
          heal: () => proxy.release(),
        });
        const room = 'taken from the node that is cut off';
        await cluster.place(room, far);
        const stayed = await scene.arrive(far, room, 'stayed');
        let came: NafLike | null = null;
        await scene.survive({
          name: 'it is cut off',
          away: [far],
          begin: () => {
            proxy.refuse = true;
            proxy.cut();
          },
          meanwhile: async () => {
            const known = async () => ((await near.admin({ janus: 'list_nodes' })).nodes as unknown[]).length;
            await until(async () => (await known()) === 2, 'the others count a silent node as dead');
            came = await scene.arrive(near, room, 'came');
            assert.equal(stayed.joins, 1, 'who was there stays');
          },
          heal: () => {
            proxy.refuse = false;
          },
          afterwards: async () => {
            await until(async () => (await cluster.owners(room)).length === 1, 'a room that was taken is on one node');
            await stayed.until(() => stayed.joined && stayed.joins === 2, 'who stayed is brought there');
            assert.equal(came?.joins, 1, 'and not who came');
          },
        });
      } finally {
        await scene.close();
        proxy.close();
      }
    });
  });
});
