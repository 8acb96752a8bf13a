// Finds Chromium for the browser tests; in CI it installs Debian's package.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findTool, inCi } from './tools.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const ELSEWHERE = [
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The path of a Chromium to test with, or null. `CHROMIUM` in the environment wins, and must exist if set. */
export const chromiumPath = () => findTool('CHROMIUM', NAMES, ELSEWHERE);

function apt(...args) {
  console.log(`janus-sfu: apt-get ${args.join(' ')} …`);
  const { status } = spawnSync('apt-get', ['-y', '-o', 'Dpkg::Use-Pty=0', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}

/**
 * The path of Chromium; in CI, as root on Debian, it is installed if missing.
 * Missing elsewhere: one line says how to get it, and null is returned (the browser tests are skipped; in CI they fail).
 */
export async function ensureChromium() {
  const found = chromiumPath();
  if (found) return found;
  const canInstall = inCi() && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (canInstall && apt('update') && apt('install', '--no-install-recommends', 'chromium')) {
    const installed = chromiumPath();
    if (installed) return installed;
  }
  console.log(
    'janus-sfu: no Chromium found, the browser tests need one: ' +
      'apt-get install chromium (Debian), or set CHROMIUM=/path/to/chrome.',
  );
  return null;
}
