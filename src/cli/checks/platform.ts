import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/schema.js';
import { isSupportedNode, NODE_ADVICE } from '../node-version.js';
import { type Finding, ok, problem, warning } from './finding.js';

const PROBE = fileURLToPath(new URL('../../../workers/native-probe.js', import.meta.url));
/** Milliseconds for the addon to load. */
const PROBE_LIMIT = 20_000;
/** Open files with which a small server gets along, and with which one should be left in peace. */
const FILES_MIN = 256;
const FILES_WANTED = 4096;

/** The version of Node, `20.19.0` or newer. */
export function checkNode(version: string = process.versions.node): Finding {
  return isSupportedNode(version) ? ok('Node', version) : problem('Node', `${version} is too old`, NODE_ADVICE);
}

/**
 * How many files, and so connections, the process may have open.
 *
 * @param limit `unlimited`, a number, or undefined where the system says nothing
 */
export function checkOpenFiles(limit: string | number | undefined = openFilesLimit()): Finding {
  const topic = 'open files';
  const advice =
    'Raise it: "ulimit -n 65536" in a shell, LimitNOFILE=65536 in a systemd unit, --ulimit nofile=65536 in Docker.';
  if (limit === 'unlimited') return ok(topic, 'no limit');
  const files = Number(limit);
  if (limit === undefined || Number.isNaN(files)) return ok(topic, 'this system does not say how many are allowed');
  if (files < FILES_MIN) return problem(topic, `only ${files} are allowed, each connection is one`, advice);
  if (files < FILES_WANTED) return warning(topic, `${files} are allowed, each connection is one`, advice);
  return ok(topic, `${files} are allowed`);
}

function openFilesLimit(): string | number | undefined {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: string | number } } };
  return report.userLimits?.open_files?.soft;
}

/** Whether the native addon loads, in a process of its own. */
export async function checkAddon({ ADDON_FOLDERS: folders }: Pick<Config, 'ADDON_FOLDERS'>): Promise<Finding> {
  const topic = 'native addon';
  const child = spawn(process.execPath, [PROBE, ...folders], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PROBE_LIMIT,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return ok(topic, 'loads');
  const reason = said.trim().split('\n').at(-1) || `its process ended with ${signal ?? `code ${code}`}`;
  return problem(
    topic,
    `does not load: ${reason}`,
    'Install again ("npm ci") on this machine, with optional packages.',
  );
}
