import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import type { Browser } from 'playwright-core';
import { startPage } from '../../src/http/page.js';
import { browserTest, eventually, openTested, quietFor, screenshot, type TestedPage } from '../support/browser.js';
import { startServer } from '../support/server.js';

interface Received {
  frames: number;
  audioEnergy: number;
  audioPackets: number;
  videoPackets: number;
  codec: string;
}

/** One user with the bundled page open, driven by what a person sees of it. */
class Guest {
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
    pretence: { onlyCodec?: string; noUdp?: boolean } = {},
  ): Promise<Guest> {
    const address = new URLSearchParams({ name, room: 'garden', source: 'pattern', autojoin: '1', ...query });
    return new Guest(name, await openTested(browser, `${new URL(httpUrl).origin}/?${address}`, pretence));
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

  async noticed(pattern: RegExp, limitMs = 15_000): Promise<void> {
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
      20_000,
    );
    await eventually(
      `${other.name} is live for ${this.name}`,
      () => this.stateOf(other),
      (state) => state === 'live',
    );
  }

  async press(other: Guest, button: 'Block' | 'Unblock'): Promise<void> {
    const tile = this.tested.page.locator(`.tile[data-user^="${other.name}~"]`);
    await tile.getByRole('button', { name: button, exact: true }).click();
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
async function withServer(
  env: Record<string, string>,
  body: (server: { wsUrl: string; httpUrl: string }, guests: Guest[]) => Promise<void>,
): Promise<void> {
  const server = await startServer({ env });
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

async function openAll(
  browser: Browser,
  httpUrl: string,
  guests: Guest[],
  names: string[],
  query: Record<string, string> = {},
): Promise<void> {
  for (const name of names) guests.push(await Guest.open(browser, httpUrl, name, query));
  await Promise.all(guests.map((guest) => guest.joined()));
}

async function everybodySeesEverybody(guests: Guest[]): Promise<void> {
  await Promise.all(
    guests.flatMap((guest) => guests.filter((other) => other !== guest).map((other) => guest.sees(other))),
  );
}

browserTest('two people on the page see, hear and write to each other, block and unblock', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);

    await ada.says('hello from ada');
    await bob.reads('hello from ada');
    await bob.says('and from bob ✓');
    await ada.reads('and from bob ✓');

    await ada.press(bob, 'Block');
    await eventually(
      'bob is told',
      () => bob.stateOf(ada),
      (state) => state === 'blocked',
    );
    assert.equal(await ada.stateOf(bob), 'blocked');
    await quietFor(300);
    const before = [await ada.received(bob), await bob.received(ada)];
    await bob.says('nobody reads this');
    await quietFor(1_000);
    const after = [await ada.received(bob), await bob.received(ada)];
    assert.deepEqual(
      after.map(({ videoPackets, audioPackets }) => [videoPackets, audioPackets]),
      before.map(({ videoPackets, audioPackets }) => [videoPackets, audioPackets]),
      'no media while blocked',
    );
    assert.ok(!(await ada.messages()).some((text) => text.includes('nobody reads this')), 'no chat while blocked');
    await screenshot(ada.tested, 'page-blocked');

    const frames = Promise.all([ada.nextFrame(bob, 5_000), bob.nextFrame(ada, 5_000)]);
    const pressed = Date.now();
    await ada.press(bob, 'Unblock');
    for (const frame of await frames) {
      assert.ok(frame >= pressed, 'no frame came through the block');
      assert.ok(frame - pressed <= 1_000, `video is back ${frame - pressed} ms after the unblock`);
    }
    await everybodySeesEverybody(guests);
  }),
);

browserTest('three people on the page: one leaves, one closes the page, one comes back by a reload', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob', 'cyd']);
    const [ada, bob, cyd] = guests as [Guest, Guest, Guest];
    await everybodySeesEverybody(guests);
    await ada.says('Good morning! Can you see my picture?');
    await bob.says('Yes, and the clock is in step with mine.');
    await cyd.says('Sound is fine too.');
    await ada.reads('Sound is fine too.');
    await screenshot(ada.tested, 'page-three');

    await bob.tested.page.getByRole('button', { name: 'Leave' }).click();
    await eventually(
      'bob is gone for ada',
      () => ada.stateOf(bob),
      (state) => state === null,
      2_000,
    );
    await eventually(
      'bob is gone for cyd',
      () => cyd.stateOf(bob),
      (state) => state === null,
      2_000,
    );
    assert.ok(await bob.tested.page.getByRole('heading', { name: 'Join a room' }).isVisible());

    await cyd.tested.page.reload();
    await Promise.all([cyd.sees(ada), ada.sees(cyd)]);

    await bob.tested.page.getByRole('button', { name: 'Join' }).click();
    await everybodySeesEverybody(guests);

    await cyd.tested.close();
    await eventually(
      'cyd is gone for ada',
      () => ada.stateOf(cyd),
      (state) => state === null,
      2_000,
    );
    assert.deepEqual(
      guests.flatMap(({ tested }) => tested.complaints),
      [],
    );
  }),
);

browserTest('media added after joining is seen, and a change of source goes on in the same tile', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const ada = await Guest.open(browser, httpUrl, 'ada', { source: 'none' });
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(ada, bob);
    await Promise.all([ada.joined(), bob.joined()]);
    await ada.sees(bob);
    assert.equal((await bob.received(ada)).frames, 0);
    await ada.tested.page.selectOption('#source', 'pattern');
    await bob.sees(ada);
    await ada.tested.page.selectOption('#source', 'camera');
    await bob.sees(ada);
  }),
);

browserTest('an ICE restart of a publisher keeps picture, sound and chat', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    const ufrag = 'probe.senders()[0].localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]';
    const before: string = await ada.tested.run(ufrag);
    await ada.tested.run('void probe.senders()[0].restartIce()');
    await eventually(
      'the restart is negotiated',
      () => ada.tested.run<string>(ufrag),
      (now) => now !== before,
    );
    await eventually(
      'ada is connected again',
      () => ada.tested.run<string[]>('probe.senders().map((pc) => pc.iceConnectionState)'),
      (states) => states.every((state) => state === 'connected' || state === 'completed'),
    );
    await everybodySeesEverybody(guests);
    await ada.says('still here');
    await bob.reads('still here');
    await bob.says('me too');
    await ada.reads('me too');
  }),
);

for (const [label, env, onlyCodec, expected] of [
  ['H264', { VIDEO_CODECS: 'h264' }, undefined, 'video/H264'],
  ['VP8 by the server’s choice', { VIDEO_CODECS: 'vp8' }, undefined, 'video/VP8'],
  ['browsers that know only VP8', {}, 'video/VP8', 'video/VP8'],
] as const) {
  browserTest(`a room of ${label} works`, (browser) =>
    withServer(env, async ({ httpUrl }, guests) => {
      const pretence = onlyCodec ? { onlyCodec } : {};
      guests.push(await Guest.open(browser, httpUrl, 'ada', {}, pretence));
      guests.push(await Guest.open(browser, httpUrl, 'bob', {}, pretence));
      const [ada, bob] = guests as [Guest, Guest];
      await everybodySeesEverybody(guests);
      assert.equal((await ada.received(bob)).codec, expected);
      assert.equal((await bob.received(ada)).codec, expected);
    }),
  );
}

browserTest('the page says that signalling is not reachable, and connects by itself when it is', async (browser) => {
  const first = await startServer({ env: {} });
  const wsPort = new URL(first.wsUrl).port;
  const page = await startPage({ port: 0, host: '127.0.0.1', wsPort: Number(wsPort), log: console });
  const guest = await Guest.open(browser, `http://localhost:${page.port}/`, 'ada');
  await guest.joined();
  await first.stop();
  await guest.noticed(/Signalling not reachable/);
  const second = await startServer({ env: { WS_PORT: wsPort } });
  try {
    await guest.joined();
    assert.equal(await guest.notice(), '');
  } finally {
    await guest.tested.close();
    await second.stop();
    await page.close();
  }
});

browserTest('the page says that no UDP gets through, and to which port', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const ada = await Guest.open(browser, httpUrl, 'ada', {}, { noUdp: true });
    guests.push(ada);
    await ada.noticed(/No UDP reachable \(port .*127\.0\.0\.1:9\)/, 30_000);
  }),
);

browserTest('the page says that a room is full', (browser) =>
  withServer({ MAX_ROOM_SIZE: '1' }, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada']);
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(bob);
    await bob.noticed(/room is full/);
    assert.equal(await bob.status(), 'failed');
  }),
);

/** Kicks as a moderator's program would, from a connection of its own; the page says so and stays out. */
async function kickedGuestIsTold(guest: Guest, wsUrl: string, token: string): Promise<void> {
  const user: string = await guest.tested.run("document.querySelector('.tile[data-own=true]').dataset.user");
  const kick = { kind: 'kick', room_id: 'garden', user_id: user, token };
  await guest.tested.run(`(async () => {
    const { JanusConnection } = await import('/janus-connection.js');
    const connection = await JanusConnection.open('${wsUrl}');
    const handle = await connection.attach();
    await handle.message(${JSON.stringify(kick)});
    connection.close();
  })()`);
  await guest.noticed(/You were removed from the room/);
  assert.equal(await guest.status(), 'failed');
}

browserTest(
  'the page says why a token was refused, joins with a good one, and says that it was kicked',
  async (browser) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-page-'));
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyFile = path.join(folder, 'key.der');
    writeFileSync(keyFile, publicKey.export({ type: 'pkcs1', format: 'der' }));
    try {
      await withServer({ AUTH_KEY: keyFile }, async ({ httpUrl, wsUrl }, guests) => {
        const ada = await Guest.open(browser, httpUrl, 'ada');
        guests.push(ada);
        await ada.noticed(/Token refused: Rejecting anonymous join!/);
        const signing: jwt.SignOptions = { algorithm: 'RS512', expiresIn: 300 };
        const token = jwt.sign({ join_hub: true, room_ids: ['garden'] }, privateKey, {
          algorithm: 'RS512',
          expiresIn: 300,
        });
        const bob = await Guest.open(browser, httpUrl, 'bob', { token });
        guests.push(bob);
        await bob.joined();
        await kickedGuestIsTold(bob, wsUrl, jwt.sign({ kick_users: true }, privateKey, signing));
        const cyd = await Guest.open(browser, httpUrl, 'cyd', { token, room: 'cellar' });
        guests.push(cyd);
        await cyd.noticed(/Token refused: Rejecting join without permission!/);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
