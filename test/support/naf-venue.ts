/** networked-aframe pages in one room of a real server. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { MissedLimit } from './attempts.js';
import { eventually, openTested, type TestedPage } from './browser.js';
import { projectRoot } from './project.js';
import { type RunningServer, startServer } from './server.js';

/** networked-aframe 0.14 and naf-janus-adapter 4.0.1 as npm delivers them, and an application around them. */
const SITE: Record<string, string> = {
  '/': 'test/browser/naf/index.html',
  '/fixture.js': 'test/browser/naf/fixture.js',
  '/aframe.js': 'node_modules/aframe/dist/aframe-v1.8.0.min.js',
  '/networked-aframe.js': 'node_modules/networked-aframe/dist/networked-aframe.js',
  '/naf-janus-adapter.js': 'node_modules/naf-janus-adapter/dist/naf-janus-adapter.js',
};

export interface Received {
  frames: number;
  audioEnergy: number;
  audioPackets: number;
  videoPackets: number;
  codec: string;
}

export interface Position {
  x: number;
  y: number;
  z: number;
}

export interface LogEntry {
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
export class Visitor {
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

/** What a venue needs of a server, or of many. */
export type VenueServer = Pick<RunningServer, 'wsUrl' | 'output' | 'stop'>;

/** The server, the site of the fixture page, and whoever visits. */
export class Venue {
  readonly server: VenueServer;
  readonly visitors: Visitor[] = [];
  readonly #browser: Browser;
  readonly #site: { url: string; close(): void };

  private constructor(browser: Browser, server: VenueServer, site: { url: string; close(): void }) {
    this.#browser = browser;
    this.server = server;
    this.#site = site;
  }

  /** Runs `body` in a venue of its own; a failure says what the pages and the server know of it. */
  static async open(
    browser: Browser,
    options: { workers: number; env: Record<string, string> } | VenueServer,
    body: (venue: Venue) => Promise<void>,
  ): Promise<void> {
    const server = 'wsUrl' in options ? options : await startServer(options);
    const venue = new Venue(browser, server, await startSite());
    try {
      await body(venue);
    } catch (error) {
      if (error instanceof MissedLimit) throw error;
      throw await withEvidence(error, venue.visitors, venue.server.output());
    } finally {
      for (const { tested } of venue.visitors) await tested.close();
      venue.#site.close();
      await venue.server.stop();
    }
  }

  /**
   * Opens a page and connects it; with media `later` it sends nothing before it is told to.
   * @param where the room, and the URL that its adapter is given for the server, if not the usual ones
   */
  async visit(
    name: string,
    media: 'before' | 'later',
    where: { room?: string; server?: string } = {},
  ): Promise<Visitor> {
    const { room = 'naf', server = this.server.wsUrl } = where;
    const query = new URLSearchParams({ room, user: name, server, media });
    const visitor = new Visitor(name, await openTested(this.#browser, `${this.#site.url}?${query}`));
    this.visitors.push(visitor);
    await visitor.tested.run('fixture.connect()');
    return visitor;
  }
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
