/** People with the bundled page open, in rooms of a real server. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { eventually, openTested, type TestedPage } from './browser.js';
import { type RunningServer, type ServerOptions, startServer } from './server.js';

export interface Received {
  frames: number;
  audioEnergy: number;
  audioPackets: number;
  videoPackets: number;
  videoLost: number;
  nacks: number;
  codec: string;
}

/** One user with the bundled page open, driven by what a person sees of it. */
export class Guest {
  readonly name: string;
  readonly tested: TestedPage;

  constructor(name: string, tested: TestedPage) {
    this.name = name;
    this.tested = tested;
  }

  static async open(
    browser: Browser,
    httpUrl: string,
    name: string,
    query: Record<string, string> = {},
    pretence: { onlyCodec?: string; mediaPort?: number } = {},
    options: BrowserContextOptions = {},
  ): Promise<Guest> {
    const address = new URLSearchParams({ name, room: 'garden', source: 'pattern', autojoin: '1', ...query });
    return new Guest(name, await openTested(browser, `${new URL(httpUrl).origin}/?${address}`, pretence, options));
  }

  #tile(name: string): string {
    return `document.querySelector('.tile[data-user^="${name}~"]:not([data-state=left])')`;
  }

  /** What the other's tile says of its state, or null if there is none. */
  stateOf(other: Guest): Promise<string | null> {
    return this.tested.run(`${this.#tile(other.name)}?.dataset.state ?? null`);
  }

  received(other: Guest): Promise<Received> {
    return this.tested.run(
      `probe.received(probe.receiverOf(${this.#tile(other.name)}?.querySelector('video').srcObject))`,
    );
  }

  /** When the next frame of the other is decoded. */
  nextFrame(other: Guest, limitMs: number): Promise<number> {
    const track = `${this.#tile(other.name)}.querySelector('video').srcObject.getVideoTracks()[0]`;
    return this.tested.run(`probe.nextFrame(${track}, ${limitMs})`);
  }

  async joined(): Promise<void> {
    await eventually(
      `${this.name} is connected`,
      () => this.status(),
      (status) => status === 'joined',
    );
  }

  status(): Promise<string> {
    return this.tested.run("document.querySelector('#status').dataset.status");
  }

  notice(): Promise<string> {
    return this.tested.run(
      "document.querySelector('#notice').hidden ? '' : document.querySelector('#notice').textContent",
    );
  }

  async noticed(pattern: RegExp, limitMs = 30_000): Promise<void> {
    await eventually(
      `${this.name} reads ${pattern}`,
      () => this.notice(),
      (text) => pattern.test(text),
      limitMs,
    );
  }

  async sees(other: Guest): Promise<void> {
    const before = await this.received(other);
    await eventually(
      `${this.name} sees and hears ${other.name}`,
      () => this.received(other),
      (now) => now.frames >= before.frames + 5 && now.audioEnergy > before.audioEnergy,
    );
    await eventually(
      `${other.name} is live for ${this.name}`,
      () => this.stateOf(other),
      (state) => state === 'live',
    );
  }

  /** Waits until the other's tile says that the microphone is muted, or that it isn't. */
  async seesMuted(other: Guest, muted: boolean): Promise<void> {
    const tile = this.tested.page.locator(`.tile[data-user^="${other.name}~"]`);
    await tile.getByText('muted', { exact: true }).waitFor({ state: muted ? 'visible' : 'hidden' });
  }

  async press(other: Guest, button: 'Block' | 'Unblock'): Promise<void> {
    const tile = this.tested.page.locator(`.tile[data-user^="${other.name}~"]`);
    await tile.getByRole('button', { name: `${button} ${other.name}`, exact: true }).click();
  }

  async says(text: string): Promise<void> {
    await this.tested.page.fill('#text', text);
    await this.tested.page.press('#text', 'Enter');
  }

  async reads(text: string): Promise<void> {
    await eventually(
      `${this.name} reads “${text}”`,
      () => this.messages(),
      (messages) => messages.some((message) => message.includes(text)),
    );
  }

  messages(): Promise<string[]> {
    return this.tested.run("[...document.querySelectorAll('#messages li')].map((line) => line.textContent)");
  }
}

/** Runs with a server of its own; a failure says what the pages complained about. */
export async function withServer(
  options: ServerOptions,
  body: (server: RunningServer, guests: Guest[]) => Promise<void>,
): Promise<void> {
  const server = await startServer(options);
  const guests: Guest[] = [];
  try {
    await body(server, guests);
    assert.equal(await server.stop(), 0, 'the server ends with exit code 0 while pages are connected');
  } catch (error) {
    const said = await Promise.all(
      guests.map(async ({ name, tested }) => {
        const peers = await tested.run<unknown[]>('probe.describe()').catch(() => []);
        const sdp = JSON.stringify(peers, null, 1).replaceAll('\\r\\n', '\n');
        return `${name}: ${tested.complaints.slice(-8).join(' | ')}\n${sdp}`;
      }),
    );
    throw new Error(
      `${error instanceof Error ? error.message : error}\n${said.join('\n')}\nserver:\n${server.output().slice(-4_000)}`,
      { cause: error },
    );
  } finally {
    for (const { tested } of guests) await tested.close();
    await server.stop();
  }
}

export async function openAll(
  browser: Browser,
  httpUrl: string,
  guests: Guest[],
  names: string[],
  query: Record<string, string> = {},
): Promise<Guest[]> {
  const opened: Guest[] = [];
  for (const name of names) opened.push(await Guest.open(browser, httpUrl, name, query));
  guests.push(...opened);
  await Promise.all(opened.map((guest) => guest.joined()));
  return opened;
}

export async function everybodySeesEverybody(guests: Guest[]): Promise<void> {
  await Promise.all(
    guests.flatMap((guest) => guests.filter((other) => other !== guest).map((other) => guest.sees(other))),
  );
}
