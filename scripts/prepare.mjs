// Installs what is missing and builds what is stale; does nothing when all is up to date.
// Only Node's own modules may be imported here: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const dist = path.join(root, 'dist');
const installStamp = path.join(modules, '.janus-sfu-stamp');
const buildStamp = path.join(dist, '.janus-sfu-stamp');

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

function run(what, command, args) {
  console.log(`janus-sfu: ${what} …`);
  const started = Date.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`janus-sfu: ${what} failed${error ? ` (${error.message})` : ''}. The lines above say why.`);
    process.exit(status ?? 1);
  }
  console.log(`janus-sfu: ${what} done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Every file below `folder`, sorted, without what is generated. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    });
}

/** A fingerprint of file contents: a touched but unchanged file causes no rebuild. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function install() {
  const wanted = `${fingerprint([path.join(root, 'package-lock.json')])} ${process.platform}-${process.arch}`;
  if (read(installStamp) === wanted) return;
  run('installing packages (once)', 'npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(installStamp, wanted);
}

function build() {
  const sources = ['assembly', 'src', 'workers', 'bench', 'test', 'web'].flatMap((name) => {
    const folder = path.join(root, name);
    return existsSync(folder) ? filesBelow(folder) : [];
  });
  const settings = ['tsconfig.json', 'asconfig.json', 'package-lock.json'].map((name) => path.join(root, name));
  const wanted = fingerprint([...settings, ...sources]);
  if (read(buildStamp) === wanted) return;
  const bin = (name) => path.join(modules, '.bin', name);
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(path.join(dist, 'web'), { recursive: true });
  run('building the packet engine', bin('asc'), ['--config', 'asconfig.json', '--target', 'release']);
  run('building the server', bin('tsc'), ['-p', 'tsconfig.json']);
  // Built with the server, for Node's types; here once more with the browser's, to see that both fit.
  run('checking the client', bin('tsc'), ['-p', 'src/client/tsconfig.json']);
  run('building the page', bin('tsc'), ['-p', 'web/tsconfig.json']);
  for (const file of filesBelow(path.join(root, 'web'))) {
    if (/\.(ts|json)$/.test(file)) continue;
    const target = path.join(dist, 'web', path.relative(path.join(root, 'web'), file));
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(file, target);
  }
  writeFileSync(buildStamp, wanted);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `janus-sfu: Node ${process.versions.node} is too old; Node 20.19 or newer is needed (https://nodejs.org).`,
  );
  process.exit(1);
}

export function prepare() {
  checkNode();
  install();
  build();
}

if (process.argv[1] && statSync(process.argv[1]).ino === statSync(fileURLToPath(import.meta.url)).ino) prepare();
