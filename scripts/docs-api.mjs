// `npm run docs:api`: the API documentation of `janus-sfu/client`, made from its docstrings into artefacts/api. What is
// exported without one, or links to nothing, is an error. TypeDoc needs an older compiler than the project has, so it has a
// package of its own, scripts/api-docs, which is installed here when it is missing or stale.
// Only Node's own modules may be imported here.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'api-docs');
const stamp = path.join(folder, 'node_modules/.janus-sfu-stamp');
const lock = readFileSync(path.join(folder, 'package-lock.json'), 'utf8');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (error) console.error(`janus-sfu: ${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  run('npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(stamp, lock);
}
run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json']);
