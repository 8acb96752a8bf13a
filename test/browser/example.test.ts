import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { browserTest, eventually, openTested, screenshot, type TestedPage } from '../support/browser.js';
import { projectRoot } from '../support/project.js';
import { startServer } from '../support/server.js';

const START_LIMIT = 30_000;

/** Runs the example's own command, on a free port. */
async function startExample(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [path.join(projectRoot, 'examples/networked-aframe/serve.mjs')], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT);
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const printed = /http:\/\/localhost:\d+\//.exec(said)?.[0];
      if (!printed) return;
      clearTimeout(timer);
      resolve(printed);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`the example ended: ${said}`));
    });
  });
  return {
    url,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** Opens the scene and goes in, as a visitor would. */
async function visit(browser: Browser, url: string, user: string, server: string): Promise<TestedPage> {
  const query = new URLSearchParams({ room: 'example', user, server });
  // Small: without a graphics card every pixel of the scene is drawn by the processor.
  const tested = await openTested(browser, `${url}?${query}`, {}, { viewport: { width: 480, height: 320 } });
  await tested.page.getByRole('button', { name: 'Enter', exact: true }).click();
  await eventually(
    `${user} is in`,
    () => tested.run<boolean>("document.querySelector('#door').hidden"),
    (hidden) => hidden,
  );
  return tested;
}

interface Seen {
  frames: number;
  audioPackets: number;
  /** How far the avatar stands from where its owner is; null while there is none. */
  away: number | null;
}

async function seesAndHears(tested: TestedPage, other: TestedPage, name: string): Promise<void> {
  const at: unknown = await other.run(
    "(({ x, y, z }) => ({ x, y, z }))(document.querySelector('#player').object3D.position)",
  );
  const look = `(async () => {
    const { frames, audioPackets } = await probe.received(NAF.connection.adapter.occupants['${name}']?.conn ?? null);
    const avatar = [...document.querySelectorAll('[networked]')].find((one) => NAF.utils.getNetworkOwner(one) === '${name}');
    const place = new THREE.Vector3().copy(${JSON.stringify(at)});
    return { frames, audioPackets, away: avatar ? avatar.object3D.position.distanceTo(place) : null };
  })()`;
  await eventually(
    `${name} is seen and heard`,
    () => tested.run<Seen>(look),
    ({ frames, audioPackets, away }) => frames >= 10 && audioPackets >= 10 && away !== null && away < 0.05,
    45_000,
  );
}

browserTest(
  'visitors of the networked-aframe example see each other’s avatars and cameras, and hear each other',
  async (browser) => {
    const server = await startServer({ workers: 1 });
    const example = await startExample();
    try {
      const ada = await visit(browser, example.url, 'ada', server.wsUrl);
      const bob = await visit(browser, example.url, 'bob', server.wsUrl);
      await Promise.all([seesAndHears(ada, bob, 'bob'), seesAndHears(bob, ada, 'ada')]);
      await screenshot(ada, 'example');
    } finally {
      await example.stop();
      await server.stop();
    }
  },
  90_000,
);
