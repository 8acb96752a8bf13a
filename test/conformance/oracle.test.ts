/**
 * Replays what was recorded from the reference server, against ours: everything that is not about HTTP or Admin, in
 * four configurations. Where we mean to differ, deviations.json says so, with the reason from the specification.
 *
 * The recordings lie beside the repository, in ../shared/oracle; where they are missing this test says so.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type RunningServer, startServer } from '../support/server.js';

/** The repository's folder, from wherever below it this file was built to. */
function repository(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'node_modules')) && folder !== path.dirname(folder))
    folder = path.dirname(folder);
  return folder;
}

const root = repository();
const oracle = path.join(root, '../shared/oracle');
const deviations = path.join(root, 'test/conformance/deviations.json');

/** Scenarios of other profiles and of HTTP or Admin are a later matter. */
const PROFILES: Record<string, (folder: string) => Record<string, string>> = {
  base: () => ({}),
  auth: (folder) => ({ AUTH_KEY: path.join(folder, 'keys/pub.pkcs1.der') }),
  authspki: (folder) => ({ AUTH_KEY: path.join(folder, 'keys/pub.spki.der') }),
  limits: () => ({ MAX_ROOM_SIZE: '2', MAX_CCU: '3' }),
};

/**
 * The recorder waits 4 s for a reply, less than a subscription waits for its publisher. And it reports the silence of a
 * track in the step in which the reference does, which takes up to 3 s where we take 1.
 */
const COMMON = { SUBSCRIBE_WAIT: '0.5', NO_MEDIA_TIMEOUT: '2', SLOWLINK_THRESHOLD: '4' };

/** Recorders side by side: most of their time they wait. Scenarios have user ids of their own, so they don't meet. */
const LANES = 4;

function run(folder: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const read = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

interface Scenario {
  profile?: string;
  optional?: object[];
  steps: { do: string }[];
}

/**
 * Copies the recorder, with what it imports. Which step a `webrtcup` falls into is a matter of a few milliseconds of
 * DTLS, and often the one before: it is not compared here but in the tests with real peers.
 */
function prepare(): { folder: string; scenarios: string[] } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-oracle-'));
  cpSync(oracle, folder, { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  const scenarios: string[] = [];
  for (const name of readdirSync(path.join(folder, 'scenarios'))) {
    const file = path.join(folder, 'scenarios', name);
    const scenario = JSON.parse(readFileSync(file, 'utf8')) as Scenario;
    if (!((scenario.profile ?? 'base') in PROFILES) || scenario.steps.some((step) => step.do === 'http')) continue;
    scenario.optional = [...(scenario.optional ?? []), { janus: 'webrtcup' }];
    writeFileSync(file, JSON.stringify(scenario));
    scenarios.push(path.join('scenarios', name));
  }
  return { folder, scenarios: scenarios.sort() };
}

if (existsSync(oracle)) {
  test('the recordings of the reference server agree, but for the deviations that the specification names', async (t) => {
    const { folder, scenarios } = prepare();
    const servers: RunningServer[] = [];
    t.after(async () => {
      rmSync(folder, { recursive: true, force: true });
      for (const server of servers) await server.stop();
    });
    const keys = await run(folder, ['keys.mjs']);
    assert.equal(keys.code, 0, keys.output);
    const profiles: Record<string, { ws: string }> = {};
    for (const [name, env] of Object.entries(PROFILES)) {
      const server = await startServer({ workers: 2, env: { ...COMMON, ...env(folder) } });
      servers.push(server);
      profiles[name] = { ws: server.wsUrl };
    }
    writeFileSync(path.join(folder, 'ours.json'), JSON.stringify(profiles));
    const options = ['--check', 'golden', '--profiles', 'ours.json', '--deviations', deviations];
    const parts = Array.from({ length: LANES }, (_, lane) => scenarios.filter((_, index) => index % LANES === lane));
    const replays = await Promise.all(parts.map((part) => run(folder, ['replay.mjs', ...options, ...part])));
    const failures = replays.map(({ output }) => output.slice(output.search(/^FAIL/m)));
    assert.ok(
      replays.every(({ code }) => code === 0),
      failures.join('\n'),
    );
    for (const [lane, { output }] of replays.entries()) {
      assert.match(output, new RegExp(`^${parts[lane]?.length} passed, 0 failed`, 'm'));
    }
    for (const server of servers) assert.equal(await server.stop(), 0, server.output().slice(-2000));
  });
} else {
  test('the recordings of the reference server', {
    skip: `there is no folder ${path.relative(root, oracle)}`,
  }, () => {});
}
