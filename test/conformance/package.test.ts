/** The package as npm would publish it: packed from what is built, installed into an empty folder, started there. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { JanusClient } from '../support/janus-client.js';
import { projectRoot } from '../support/project.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-package-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What these tests were compiled into: `dist`, or another folder of its shape. */
const built = fileURLToPath(new URL('../../', import.meta.url));
const START_LIMIT = 20_000;
const INSTALL_LIMIT = 40_000;

function run(command: string, args: string[], cwd: string, timeout = INSTALL_LIMIT): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Packs by package.json's list of files, with what is built here as `dist`. */
function pack(): string {
  const staging = path.join(root, 'staging');
  mkdirSync(staging);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'deploy']) {
    cpSync(path.join(projectRoot, name), path.join(staging, name), { recursive: true });
  }
  cpSync(built, path.join(staging, 'dist'), { recursive: true });
  const output = run('npm', ['pack', '--ignore-scripts', '--json', '--silent'], staging);
  const [{ filename }] = JSON.parse(output) as [{ filename: string }];
  return path.join(staging, filename);
}

/** Installs the tarball; its dependencies come from the registry, or, where there is none, from this project. */
function install(tarball: string): string {
  const folder = path.join(root, 'installed');
  mkdirSync(folder);
  const args = ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
  const { status } = spawnSync('npm', args, { cwd: folder, timeout: INSTALL_LIMIT, stdio: 'ignore' });
  const target = path.join(folder, 'node_modules/janus-sfu');
  if (status !== 0 || !existsSync(path.join(target, 'package.json'))) {
    rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target], folder);
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(target, 'node_modules'));
  }
  return target;
}

test('the packed package starts in an empty folder, serves the page, and takes a user into a room', async () => {
  const target = install(pack());
  assert.deepEqual(readdirSync(path.join(target, 'dist')).sort(), [
    'assembly',
    'bench',
    'engine.wasm',
    'src',
    'web',
    'workers',
  ]);
  const empty = path.join(root, 'empty');
  mkdirSync(empty);
  const bin = path.join(target, 'dist/src/main.js');
  assert.match(run(process.execPath, [bin, '--version'], empty), /^\d+\.\d+\.\d+\n$/);
  assert.match(run(process.execPath, [bin, 'load', '--help'], empty), /--listeners/);
  const flags = [
    '--ws-port',
    '0',
    '--http-port',
    '0',
    '--rtp-port',
    String(20_000 + Math.floor(Math.random() * 12_000)),
  ];
  const server = spawn(process.execPath, [bin, 'start', ...flags, '--sfu-workers', '1'], { cwd: empty });
  try {
    let output = '';
    server.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const signal = AbortSignal.timeout(START_LIMIT);
    for await (const [chunk] of on(server.stdout, 'data', { signal })) {
      output += chunk;
      if (output.includes('is ready')) break;
    }
    const http = /page +(http:\S+)/.exec(output)?.[1] ?? '';
    const ws = /signalling +(ws:\S+)/.exec(output)?.[1] ?? '';
    const page = await fetch(http.replace('localhost', '127.0.0.1'));
    assert.deepEqual([page.status, /<title>/.test(await page.text())], [200, true], output);
    const script = await fetch(`${http.replace('localhost', '127.0.0.1')}src/client/index.js`);
    assert.equal(script.status, 200);
    const client = await JanusClient.connect(ws.replace('localhost', '127.0.0.1'));
    await client.join('lobby', 'ann', { data: true });
    await client.close();
    const load = ['load', '--url', ws.replace('localhost', '127.0.0.1'), '--seconds', '1', '--loss-max', '50'];
    assert.match(run(process.execPath, [bin, ...load], empty), /^packets +\d+ sent, [1-9]\d* of \d+ received/m);
  } finally {
    server.kill('SIGTERM');
    const [code] = await once(server, 'exit');
    assert.equal(code, 0);
  }
  assert.ok(existsSync(path.join(empty, 'data')), 'blocks are kept in the current folder');
});
