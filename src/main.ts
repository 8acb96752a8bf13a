#!/usr/bin/env node
/** The command `janus-sfu`. */
import { runCommandLine } from './cli/run.js';

const write = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(text);

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  out: write(process.stdout),
  err: write(process.stderr),
});
// What was written to a pipe may still wait there.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise<void>((done) => stream.write('', () => done()))),
);
process.exit(exitCode);
