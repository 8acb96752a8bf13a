/** Child processes of a bench, which end with it, however it ends (but for SIGKILL). */
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
}

/** Ends the child when this process ends. */
export function endWithUs(child: ChildProcess): void {
  watch();
  running.add(child);
  child.once('exit', () => running.delete(child));
}
