/** Calls between real browser pages over bad lines: through our server, or straight from page to page. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { eventually, launchBrowser, openTested, type TestedPage } from './browser.js';
import { FILM, writeFilm } from './camera-film.js';
import { type Line, PeerProxy, ServerProxy } from './lossy-proxy.js';
import type { MediaTotals } from './media-figures.js';
import { projectRoot } from './project.js';
import { RealTime } from './real-time.js';
import { mediaPortOf, startServer } from './server.js';

/** Nobody looks at these pages, and none of them must sleep. */
const AWAKE: readonly string[] = [
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];
const ROOM = 'network';

const SITE: Record<string, { file: string; type: string }> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/fixture.js': { file: 'fixture.js', type: 'text/javascript; charset=utf-8' },
};

interface Site {
  url: string;
  close(): void;
}

/** Serves the pages: browsers give a camera only to pages of https or localhost. */
async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    const found = SITE[request.url ?? ''];
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    const text = readFileSync(path.join(projectRoot, 'test/browser/network', found.file));
    response.writeHead(200, { 'Content-Type': found.type }).end(text);
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

/** A browser whose camera shows the film. */
export interface FilmedBrowser {
  browser: Browser;
  close(): Promise<void>;
}

export async function launchFilmedBrowser(): Promise<FilmedBrowser> {
  const film = writeFilm();
  try {
    const browser = await launchBrowser([...AWAKE, `--use-file-for-fake-video-capture=${film.file}`]);
    const close = async () => {
      await browser.close();
      film.remove();
    };
    return { browser, close };
  } catch (error) {
    film.remove();
    throw error;
  }
}

/** Runs with a browser whose camera shows the film. */
export async function withFilmedBrowser<T>(body: (browser: Browser) => Promise<T>): Promise<T> {
  const { browser, close } = await launchFilmedBrowser();
  try {
    return await body(browser);
  } finally {
    await close();
  }
}

/** One page at one end of a call, behind a line of its own. */
export class MediaPage {
  readonly tested: TestedPage;
  readonly line: Line;

  constructor(tested: TestedPage, line: Line) {
    this.tested = tested;
    this.line = line;
  }

  call<T>(method: string, ...parameters: unknown[]): Promise<T> {
    return this.tested.run<T>(`fixture.${method}(...${JSON.stringify(parameters)})`);
  }

  totals(): Promise<MediaTotals> {
    return this.call('totals');
  }

  /** When each frame since a time was there, by the page's clock. */
  frameTimes(since: number): Promise<number[]> {
    return this.call('frameTimes', since);
  }

  /** Milliseconds from the beginning of the subscription to the first decoded frame. */
  firstFrame(limitMs = 30_000): Promise<number> {
    return eventually(
      'the first frame',
      () => this.call<number>('firstFrame'),
      (time) => time > 0,
      limitMs,
    );
  }
}

export interface NetworkCall {
  publisher: MediaPage;
  /** The first viewer. */
  viewer: MediaPage;
  viewers: MediaPage[];
  time: RealTime;
  close(): Promise<void>;
}

export interface CallOptions {
  /** Of each line's faults. */
  seed: number;
  /** `video/H264`, `video/VP8`, …: the only codec that the publisher offers; its browser's choice if it is left out. */
  codec?: string;
  /** What the camera is asked for; the film's full size if it is left out. */
  size?: { width: number; height: number };
  /** Called once the publisher is connected and before the first viewer comes: what lines do from the beginning. */
  prepare?: (lines: { publisher: Line; viewers: Line[] }) => void;
}

export interface ServerCallOptions extends CallOptions {
  viewers?: number;
  /** Settings of the server. */
  env?: Record<string, string>;
}

function videoOf({ size }: CallOptions): { width: number; height: number; frameRate: number } {
  const { width, height } = size ?? FILM;
  return { width, height, frameRate: FILM.framesPerSecond };
}

/** A publisher and its viewers in a room of our server, each page behind a line of its own. */
export async function callThroughServer(browser: Browser, options: ServerCallOptions): Promise<NetworkCall> {
  const { seed, codec, viewers: size = 1 } = options;
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const server = await startServer({ env: options.env ?? {} });
    closing.push(() => server.stop());
    const site = await startSite();
    closing.push(() => site.close());
    const time = new RealTime();
    const open = async (index: number) => {
      const proxy = await ServerProxy.start({ time, seed: seed * 1000 + index * 10, serverPort: mediaPortOf(server) });
      closing.push(() => proxy.close());
      const tested = await openTested(browser, site.url, { mediaPort: proxy.port });
      closing.push(() => tested.close());
      return new MediaPage(tested, proxy.line);
    };
    const publisher = await open(0);
    const viewers: MediaPage[] = [];
    for (let index = 1; index <= size; index += 1) viewers.push(await open(index));
    closing.push(() => time.stop());
    await publisher.call('publish', {
      url: server.wsUrl,
      room: ROOM,
      user: 'publisher',
      video: videoOf(options),
      codec,
    });
    options.prepare?.({ publisher: publisher.line, viewers: viewers.map(({ line }) => line) });
    const watching = { url: server.wsUrl, room: ROOM, publisher: 'publisher' };
    await Promise.all(
      viewers.map(async (viewer, index) => {
        await viewer.call('watch', { ...watching, user: `viewer ${index}` });
        await viewer.call('connected');
      }),
    );
    return { publisher, viewers, viewer: firstOf(viewers), time, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function firstOf(viewers: readonly MediaPage[]): MediaPage {
  const [first] = viewers;
  if (!first) throw new Error('a call needs a viewer');
  return first;
}

/** Candidates for TCP lead past a UDP proxy. */
const withoutTcp = (sdp: string): string => sdp.replace(/^a=candidate:\S+ \d+ tcp .*\r\n/gim, '');

/** The yardstick: the same two pages, connected to each other over the same two lines. */
export async function callDirectly(browser: Browser, options: CallOptions): Promise<NetworkCall> {
  const { seed, codec } = options;
  const site = await startSite();
  const time = new RealTime();
  const proxy = await PeerProxy.start(time, seed * 1000);
  const close = async () => {
    time.stop();
    await Promise.all(pages.map(({ tested }) => tested.close()));
    proxy.close();
    site.close();
  };
  const pages: MediaPage[] = [];
  try {
    for (const end of [0, 1] as const) {
      pages.push(new MediaPage(await openTested(browser, site.url, { mediaPort: proxy.ports[end] }), proxy.lines[end]));
    }
    const [publisher, viewer] = pages as [MediaPage, MediaPage];
    options.prepare?.({ publisher: publisher.line, viewers: [viewer.line] });
    const offer = await publisher.call<string>('offer', { video: videoOf(options), codec });
    const answer = await viewer.call<string>('answer', withoutTcp(offer));
    await publisher.call('accept', withoutTcp(answer));
    await Promise.all(pages.map((page) => page.call('connected')));
    return { publisher, viewer, viewers: [viewer], time, close };
  } catch (error) {
    await close();
    throw error;
  }
}
