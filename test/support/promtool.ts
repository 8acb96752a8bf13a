/** Prometheus' own checker, where it is there: scripts/promtool.mjs says how to get it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './project.js';

const module: { promtoolPath(): string | null } = await import(
  pathToFileURL(path.join(projectRoot, 'scripts/promtool.mjs')).href
);
const executable = module.promtoolPath();

/** Why a test that needs promtool is skipped, on a developer's machine without it; false: it runs, and in CI it fails. */
export function promtoolMissing(): string | false {
  const missing = 'no promtool found: install Debian’s package prometheus, or set PROMTOOL=/path/to/promtool';
  return executable === null && !process.env.CI ? missing : false;
}

/** Runs it. Returns its exit code, and all that it wrote. */
export function promtool(args: string[], input?: string): { code: number | null; output: string } {
  if (executable === null) throw new Error('no promtool found');
  const { status, stdout, stderr } = spawnSync(executable, args, {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 30_000,
    ...(input === undefined ? {} : { input }),
  });
  return { code: status, output: stdout + stderr };
}
