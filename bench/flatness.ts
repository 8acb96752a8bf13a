/**
 * `node dist/bench/flatness.js [--idle-users 32] [--workers 1] [--seconds 4] [--env NAME=VALUE …] [--json]`
 *
 * Whether a packet costs more where there are many peers: ten users hear nine others each, first by themselves, then beside
 * a room of U users, U x (U - 1) subscribers, who are connected and silent (their process is stopped, so that the
 * machine is the relay's). CPU is user + system time of the server's whole process. Goal: 1.3 at 2,000 (45 users).
 */
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJanusSfu } from './contenders.js';
import { forwardingLine, measureWindow, WARM_UP_MS } from './forwarding.js';
import { GeneratorProcess } from './load/generator-process.js';
import { shapeOf } from './load/shape.js';

/** Milliseconds until what connecting left behind is cleared away. */
const SETTLE_MS = 3000;
/** Longer, and the stopped peers' consent would be over. */
const SECONDS_MAX = 20;

const { values } = parseArgs({
  options: {
    'idle-users': { type: 'string', default: '32' },
    workers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '4' },
    env: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});
const idleUsers = Number(values['idle-users']);
const workers = Number(values.workers);
const seconds = Math.min(Number(values.seconds), SECONDS_MAX);
if (!(idleUsers > 1 && workers > 0 && seconds > 0))
  throw new Error('--idle-users, --workers, --seconds: numbers over 0');
const env = Object.fromEntries(
  values.env.map((one) => {
    const [name = '', ...rest] = one.split('=');
    return [name, rest.join('=')];
  }),
);

const server = await startJanusSfu(workers, { WS_PING_INTERVAL: '0', ...env });
const [active, idle] = [new GeneratorProcess(), new GeneratorProcess()];
try {
  await active.connect(server.target);
  await active.publish(shapeOf(10, 9));
  await active.subscribe();
  await active.send({ videoPps: 100, audioPps: 50 });
  await elapse(WARM_UP_MS);
  const alone = await measureWindow(server, active, seconds);
  values.json || console.log(`alone            ${forwardingLine({ ...alone, memoryPerSubscriber: Number.NaN })}`);

  await idle.connect(server.target);
  await idle.publish(shapeOf(idleUsers, idleUsers - 1), { room: 'idle' });
  const { connected } = await idle.subscribe();
  await elapse(SETTLE_MS);
  idle.freeze();
  const beside = await measureWindow(server, active, seconds);
  values.json ||
    console.log(`beside ${connected} idle ${forwardingLine({ ...beside, memoryPerSubscriber: Number.NaN })}`);
  const ratio = beside.cpuPerPacket / alone.cpuPerPacket;
  if (values.json)
    console.log(
      JSON.stringify({ settings: { idleUsers, workers, seconds, env }, alone, idle: connected, beside, ratio }),
    );
  else console.log(`CPU per packet, beside / alone: ${ratio.toFixed(2)}`);
} finally {
  active.kill();
  idle.kill();
  await server.stop();
}
