/**
 * `npm run bench:signalling -- [--sessions 2000] [--rate 500] [--seconds 10] [--runs 3] [--cycles 20000] [--core N]`
 *
 * What signalling costs. First replies: idle sessions on sockets of their own, and 50 clients who send `data` messages at the
 * rate; the time from a request to the event that answers it. Then churn: create, attach, join, leave, as often as `cycles`
 * says in ten laps, with the memory after each lap. With `--core` the server and its threads run on that core alone.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type RunningServer, startServer } from '../test/support/server.js';
import { Inspector, type Memory } from './load/inspector.js';
import { churn, measureReplies } from './load/signalling.js';
import { slope } from './report/statistics.js';

const LAPS = 10;
const MIB = 2 ** 20;
const LIMITS = {
  LOG_LEVEL: 'warn',
  SFU_WORKERS: '1',
  WS_CONNECTIONS_PER_ADDRESS: '10000',
  WS_REQUEST_RATE: '1000000',
  WS_REQUEST_BURST: '1000000',
};

function readSettings() {
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '10' },
      runs: { type: 'string', default: '3' },
      cycles: { type: 'string', default: '20000' },
      core: { type: 'string' },
    },
  });
  const whole = (name: 'sessions' | 'rate' | 'seconds' | 'runs' | 'cycles') => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} ${values[name]}: a whole number is needed`);
  };
  const load = { sessions: whole('sessions'), rate: whole('rate'), seconds: whole('seconds') };
  return { load, runs: whole('runs'), cycles: whole('cycles'), core: values.core };
}

/** All threads of the server on one core (Linux only). */
function pin(server: RunningServer, core: string | undefined): void {
  if (core === undefined) return;
  const { status, stderr } = spawnSync('taskset', ['-a', '-p', '-c', core, String(server.pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`--core ${core}: taskset failed: ${stderr}`);
}

const inMib = (bytes: number) => (bytes / MIB).toFixed(1);

const { load, runs, cycles, core } = readSettings();
if (load.seconds > 0) {
  console.log(`${load.sessions} idle sessions, ${load.rate} messages/s, ${load.seconds} s`);
  for (let run = 1; run <= runs; run += 1) {
    const server = await startServer({ env: LIMITS });
    pin(server, core);
    const { messages, p50, p99, worst, cpu } = await measureReplies(server, load);
    const times = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, worst ${worst.toFixed(1)} ms`;
    console.log(`  run ${run}: ${messages} replies, ${times}, server ${(cpu * 100).toFixed(1)} % of a core`);
    await server.stop();
  }
}
if (cycles > 0) {
  console.log(`${cycles} times create, attach, join, leave, in ${LAPS} laps after one that does not count`);
  const server = await startServer({ env: { ...LIMITS, NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  pin(server, core);
  const inspector = await Inspector.attach(server.output(), server.pid);
  const laps: Memory[] = [];
  const started = performance.now();
  for (let lap = 0; lap <= LAPS; lap += 1) {
    await churn(server.wsUrl, Math.ceil(cycles / LAPS));
    laps.push(await inspector.memory());
    console.log(
      `  lap ${lap}: ${inMib(laps.at(-1)?.heap ?? 0)} MiB of objects, ${inMib(laps.at(-1)?.resident ?? 0)} MiB resident`,
    );
  }
  const seconds = (performance.now() - started) / 1000;
  for (const what of ['heap', 'resident'] as const) {
    const values = laps.map((memory) => memory[what]);
    const [first = 0, last = 0] = [values[0], values.at(-1)];
    const growth = `${((last / first - 1) * 100).toFixed(1)} %`;
    console.log(`  ${what}: ${growth} from the first lap to the last, ${inMib(slope(values) * 1024)} KiB a lap`);
  }
  console.log(`  ${(((LAPS + 1) * Math.ceil(cycles / LAPS)) / seconds).toFixed(0)} cycles/s`);
  inspector.close();
  await server.stop();
}
