import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { projectRoot } from './project.js';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

async function findChromium(): Promise<string | null> {
  const module: { chromiumPath(): string | null } = await import(
    pathToFileURL(path.join(projectRoot, 'scripts/chromium.mjs')).href
  );
  return module.chromiumPath();
}

const executablePath = await findChromium();

/** Why a test that needs a browser is skipped, on a developer's machine without one; false: it runs, and in CI it fails. */
export function chromiumMissing(): string | false {
  const missing = 'no Chromium found: install Debian’s package chromium, or set CHROMIUM=/path/to/chrome';
  return executablePath === null && !process.env.CI ? missing : false;
}

/** The browser of this file's tests: each has contexts of its own, which share nothing but the process. */
let shared: Browser | null = null;
let closesAtEnd = false;

async function sharedBrowser(): Promise<Browser> {
  if (!shared?.isConnected()) shared = await launchBrowser();
  return shared;
}

/**
 * A test that needs a browser: without one it is skipped with the reason on a developer's machine,
 * and fails where CI is set. What contexts it leaves open are closed.
 * @param missing why it is skipped though there is a browser: what else it needs is not there
 */
export function browserTest(
  name: string,
  body: (browser: Browser, t: TestContext) => Promise<void>,
  timeoutMs = 240_000,
  missing: string | false = false,
): void {
  // Not as this file is loaded: benchmarks use it too, and have no tests.
  if (!closesAtEnd) after(() => shared?.close());
  closesAtEnd = true;
  test(name, { skip: chromiumMissing() || missing, timeout: timeoutMs }, async (t) => {
    const browser = await sharedBrowser();
    try {
      await body(browser, t);
    } finally {
      await Promise.all(browser.contexts().map((context) => context.close()));
    }
  });
}

/**
 * Starts a headless Chromium with fake camera and microphone.
 * @param flags command line flags that come after our own: of a flag that is there twice the later one counts
 */
export async function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  if (executablePath === null) throw new Error('no Chromium found: install Debian’s package chromium, or set CHROMIUM');
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
}

/** A page under test, and everything it complained about. */
export interface TestedPage {
  page: Page;
  /** Console errors, warnings and uncaught exceptions. */
  complaints: string[];
  /** Evaluates an expression in the page; the caller names its type. */
  run<T>(expression: string): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a page in a browser context of its own, with the probe loaded before its scripts.
 * @param pretence settings of the probe (test/browser/probe.js): a browser with one video codec, or with another way to the server
 * @param options of the browser context, such as a phone's
 */
export async function openTested(
  browser: Browser,
  url: string,
  pretence: { onlyCodec?: string; mediaPort?: number } = {},
  options: BrowserContextOptions = {},
): Promise<TestedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.grantPermissions(['camera', 'microphone'], { origin: new URL(url).origin });
  await context.addInitScript({ content: `Object.assign(window, ${JSON.stringify(pretence)})` });
  await context.addInitScript({ path: path.join(projectRoot, 'test/browser/probe.js') });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  await page.goto(url);
  return {
    page,
    complaints,
    run: <T>(expression: string) => page.evaluate<T>(expression),
    close: () => context.close(),
  };
}

/**
 * Asks again and again until the answer is accepted, and returns it.
 * @throws Error that names what was waited for and the last answer
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  accepted: (answer: T) => boolean,
  limitMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (accepted(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${limitMs} ms; last: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Reads until two readings half a second apart are the same, and returns the last: what was on its way has come.
 * @throws Error that names what did not come to rest
 */
export async function atRest<T>(what: string, read: () => Promise<T>): Promise<T> {
  let last = await read();
  await eventually(
    `${what} at rest`,
    async () => {
      await quietFor(500);
      const before = last;
      last = await read();
      return isDeepStrictEqual(before, last);
    },
    (same) => same,
  );
  return last;
}

/** Lets a span of time pass in which something must not happen (there is no event for nothing). */
export function quietFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Keeps a picture of the page, or of what a selector finds in it, below artefacts/ (ignored by git). */
export async function screenshot({ page }: TestedPage, name: string, part?: string): Promise<string> {
  const folder = path.join(projectRoot, 'artefacts');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.png`);
  if (part === undefined) await page.screenshot({ path: file });
  else await page.locator(part).screenshot({ path: file });
  return file;
}
