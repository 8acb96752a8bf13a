#!/usr/bin/env node
/** The command `janus-sfu`. */
import { isSupportedNode, NODE_ADVICE } from './cli/node-version.js';

if (!isSupportedNode(process.versions.node)) {
  process.stderr.write(`janus-sfu: Node ${process.versions.node} is too old. ${NODE_ADVICE}\n`);
  process.exit(1);
}
// Only now: an older Node could not even load the rest, and would not say why.
const { runCommandLine } = await import('./cli/run.js');

// Whoever read the log has gone: no reason to end the calls.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// What was written to a pipe may still wait there.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
process.exit(exitCode);
