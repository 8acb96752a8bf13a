import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import {
  browserTest,
  eventually,
  openTested,
  projectRoot,
  quietFor,
  screenshot,
  type TestedPage,
} from '../support/browser.js';
import { startServer } from '../support/server.js';

/** networked-aframe 0.14 and naf-janus-adapter 4.0.1 as npm delivers them, and an application around them. */
const SITE: Record<string, string> = {
  '/': 'test/browser/naf/index.html',
  '/fixture.js': 'test/browser/naf/fixture.js',
  '/aframe.js': 'node_modules/aframe/dist/aframe-v1.8.0.min.js',
  '/networked-aframe.js': 'node_modules/networked-aframe/dist/networked-aframe.js',
  '/naf-janus-adapter.js': 'node_modules/naf-janus-adapter/dist/naf-janus-adapter.js',
};

interface Received {
  frames: number;
  audioEnergy: number;
  audioPackets: number;
  videoPackets: number;
  codec: string;
}

interface Position {
  x: number;
  y: number;
  z: number;
}

interface LogEntry {
  at: number;
  what: string;
  detail: string;
}

async function startSite(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const file = SITE[(request.url ?? '').replace(/\?.*/, '')];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const type = file.endsWith('.html') ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8';
    response.writeHead(200, { 'Content-Type': type }).end(readFileSync(path.join(projectRoot, file)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** One user's page. */
class Visitor {
  readonly name: string;
  readonly tested: TestedPage;

  constructor(name: string, tested: TestedPage) {
    this.name = name;
    this.tested = tested;
  }

  received(other: Visitor): Promise<Received> {
    return this.tested.run(`fixture.received('${other.name}')`);
  }

  positionOf(other: Visitor): Promise<Position | null> {
    return this.tested.run(`fixture.positionOf('${other.name}')`);
  }

  occupants(): Promise<string[]> {
    return this.tested.run('fixture.occupants()');
  }

  log(): Promise<LogEntry[]> {
    return this.tested.run('fixture.log');
  }

  move({ x, y, z }: Position): Promise<void> {
    return this.tested.run(`fixture.move(${x}, ${y}, ${z})`);
  }

  /** When the next frame of another user is decoded. */
  nextFrame(other: Visitor, limitMs: number): Promise<number> {
    return this.tested.run(`fixture.nextFrame('${other.name}', ${limitMs})`);
  }

  async sees(other: Visitor): Promise<void> {
    const before = await this.received(other);
    await eventually(
      `${this.name} sees and hears ${other.name}`,
      () => this.received(other),
      (now) => now.frames >= before.frames + 5 && now.audioEnergy > before.audioEnergy,
    );
  }

  async seesAt(other: Visitor, where: Position): Promise<void> {
    const near = (a: number, b: number) => Math.abs(a - b) < 0.05;
    await eventually(
      `${this.name} sees the entity of ${other.name} move`,
      () => this.positionOf(other),
      (at) => at !== null && near(at.x, where.x) && near(at.y, where.y) && near(at.z, where.z),
    );
  }
}

async function scenario(browser: Browser, env: Record<string, string>, workers: number, label: string): Promise<void> {
  const server = await startServer({ env, workers });
  const site = await startSite();
  const visitors: Visitor[] = [];
  const visit = async (name: string, media: 'before' | 'later'): Promise<Visitor> => {
    const query = new URLSearchParams({ room: 'naf', user: name, server: server.wsUrl, media });
    const visitor = new Visitor(name, await openTested(browser, `${site.url}?${query}`));
    visitors.push(visitor);
    await visitor.tested.run('fixture.connect()');
    return visitor;
  };
  try {
    const ada = await visit('ada', 'before');
    const bob = await visit('bob', 'before');
    const cyd = await visit('cyd', 'later');
    const all = [ada, bob, cyd];

    for (const visitor of all) {
      const others = all.filter((other) => other !== visitor).map(({ name }) => name);
      await eventually(
        `${visitor.name} has subscribed`,
        () => visitor.occupants(),
        (now) => now.join() === others.join(),
      );
    }
    await Promise.all([ada.sees(bob), bob.sees(ada), cyd.sees(ada), cyd.sees(bob)]);
    assert.equal((await ada.received(cyd)).frames, 0, 'cyd sends nothing yet');

    await ada.move({ x: 3, y: 2, z: -1 });
    await cyd.move({ x: -2, y: 0.5, z: 1 });
    await Promise.all([bob.seesAt(ada, { x: 3, y: 2, z: -1 }), cyd.seesAt(ada, { x: 3, y: 2, z: -1 })]);
    await Promise.all([ada.seesAt(cyd, { x: -2, y: 0.5, z: 1 }), bob.seesAt(cyd, { x: -2, y: 0.5, z: 1 })]);

    await cyd.tested.run('fixture.addMedia()');
    await Promise.all([ada.sees(cyd), bob.sees(cyd)]);
    await screenshot(ada.tested, `naf-${label}`);

    await blockBothWays(ada, bob, cyd);
    await closedPageIsGone(cyd, [ada, bob]);
    await reloadedPageComesBack(bob, ada);
    assert.equal(await server.stop(), 0, 'the server ends with exit code 0 while pages are connected');
  } catch (error) {
    throw await withEvidence(error, visitors, server.output());
  } finally {
    for (const { tested } of visitors) await tested.close();
    site.close();
    await server.stop();
  }
}

/** Blocking stops media and data both ways and leaves the third alone; unblocking brings video back within 1 s. */
async function blockBothWays(ada: Visitor, bob: Visitor, cyd: Visitor): Promise<void> {
  await bob.tested.run("fixture.block('ada')");
  await eventually(
    'ada is told of the block',
    () => ada.log(),
    (log) => log.some(({ what }) => what === 'blocked'),
  );
  // What was on the way when the block came may still arrive.
  await quietFor(300);
  const before = { ada: await ada.received(bob), bob: await bob.received(ada), cyd: await cyd.received(ada) };
  await ada.move({ x: 5, y: 1, z: 0 });
  await cyd.seesAt(ada, { x: 5, y: 1, z: 0 });
  await quietFor(1_000);
  const after = { ada: await ada.received(bob), bob: await bob.received(ada), cyd: await cyd.received(ada) };
  for (const who of ['ada', 'bob'] as const) {
    assert.equal(after[who].videoPackets, before[who].videoPackets, `${who} gets no video of the other while blocked`);
    assert.equal(after[who].audioPackets, before[who].audioPackets, `${who} gets no audio of the other while blocked`);
  }
  assert.ok(after.cyd.frames > before.cyd.frames, 'cyd still sees ada');
  assert.notEqual((await bob.positionOf(ada))?.x, 5, 'a blocked entity does not move');

  const frames = Promise.all([ada.nextFrame(bob, 5_000), bob.nextFrame(ada, 5_000)]);
  const unblocked: number = await bob.tested.run(
    "(() => { const at = Date.now(); fixture.unblock('ada'); return at; })()",
  );
  const [adasFrame, bobsFrame] = await frames;
  assert.ok(adasFrame - unblocked <= 1_000, `ada sees bob ${adasFrame - unblocked} ms after the unblock`);
  assert.ok(bobsFrame - unblocked <= 1_000, `bob sees ada ${bobsFrame - unblocked} ms after the unblock`);
  assert.ok(adasFrame >= unblocked && bobsFrame >= unblocked, 'no frame came through the block');
  await Promise.all([ada.sees(bob), bob.sees(ada)]);
  await ada.move({ x: 6, y: 1, z: 0 });
  await bob.seesAt(ada, { x: 6, y: 1, z: 0 });
}

async function closedPageIsGone(leaving: Visitor, others: Visitor[]): Promise<void> {
  const closed = Date.now();
  await leaving.tested.close();
  for (const other of others) {
    const log = await eventually(
      `${other.name} is told that ${leaving.name} is gone`,
      () => other.log(),
      (entries) => entries.some(({ what, detail }) => what === 'clientDisconnected' && detail === leaving.name),
      5_000,
    );
    const gone = log.find(({ what, detail }) => what === 'clientDisconnected' && detail === leaving.name);
    assert.ok(gone && gone.at - closed < 1_500, `${other.name} learns it in ${(gone?.at ?? 0) - closed} ms`);
    assert.equal(await other.positionOf(leaving), null, 'the entity is gone');
  }
}

/** The server ends the old session with its socket, so the adapter meets no zombie of itself and doesn't wait 10 s. */
async function reloadedPageComesBack(visitor: Visitor, other: Visitor): Promise<void> {
  const reloaded = Date.now();
  await visitor.tested.page.reload();
  await visitor.tested.run('fixture.connect()');
  await Promise.all([visitor.sees(other), other.sees(visitor)]);
  assert.ok(Date.now() - reloaded < 9_000, `back after ${Date.now() - reloaded} ms`);
  const zombie = visitor.tested.complaints.filter((text) => text.includes('previous session'));
  assert.deepEqual(zombie, []);
}

/** Adds what the pages know to a failure: their complaints and descriptions. */
async function withEvidence(error: unknown, visitors: Visitor[], server: string): Promise<Error> {
  const evidence = await Promise.all(
    visitors.map(async ({ name, tested }) => {
      const peers = await tested.run<unknown[]>('probe.describe()').catch(() => []);
      return `${name}: ${tested.complaints.slice(-8).join(' | ')}\n${JSON.stringify(peers, null, 1).replaceAll('\\r\\n', '\n')}`;
    }),
  );
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message}\n${evidence.join('\n')}\nserver:\n${server.slice(-4_000)}`, { cause: error });
}

browserTest('three networked-aframe pages share a room on one worker', (browser) => scenario(browser, {}, 1, 'one'));
browserTest('three networked-aframe pages share a room whose peers live on two workers', (browser) =>
  scenario(browser, { PLACEMENT: 'spread' }, 2, 'spread'),
);
browserTest('three networked-aframe pages share a room that is kept on one of two workers', (browser) =>
  scenario(browser, { PLACEMENT: 'together' }, 2, 'together'),
);
