import { packageVersion } from '../config/package-version.js';
import type { Config } from '../config/schema.js';
import { configTable } from '../config/shown.js';
import { type AdjustableLog, createLog } from '../observability/log.js';
import { type RunningServer, startServer } from '../server.js';
import { Gatekeeper } from '../sfu/token.js';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK } from './command.js';
import { loadSettings, readAuthKey } from './settings.js';

/** Milliseconds: the promise is 10 s from the signal to the exit. */
const SHUTDOWN_LIMIT = 9000;

function greeting(config: Config, { ports }: RunningServer): string {
  const lastPort = config.RTP_PORT + config.SFU_WORKERS - 1;
  const media = lastPort === config.RTP_PORT ? `${lastPort}` : `${config.RTP_PORT}-${lastPort}`;
  const { admin } = ports;
  const adminHost = config.ADMIN_BIND.includes(':') ? `[${config.ADMIN_BIND}]` : config.ADMIN_BIND;
  return [
    `janus-sfu ${packageVersion()} is ready`,
    `  page        http://localhost:${ports.http}/`,
    `  signalling  ws://localhost:${ports.ws}/ (subprotocol janus-protocol)`,
    `  media       UDP ${media} (${config.SFU_WORKERS} ${config.SFU_WORKERS === 1 ? 'worker' : 'workers'})`,
    ...(admin ? [`  admin       http://${adminHost}:${admin.http}/admin, ws://${adminHost}:${admin.ws}/`] : []),
    '',
  ].join('\n');
}

/** Runs the server until a signal; resolves with the exit code when it has ended. */
async function serve(config: Config, gate: Gatekeeper, log: AdjustableLog, out: (text: string) => void) {
  let signal: () => void = () => process.exit(EXIT_OK);
  let signalled = false;
  const onSignal = (name: NodeJS.Signals) => {
    log('info', signalled ? 'second signal: ending now' : 'shutting down', { signal: name });
    if (signalled) process.exit(EXIT_FAILED);
    signalled = true;
    signal();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const server = await startServer(config, gate, log);
  const asked = new Promise<void>((resolve) => {
    signal = resolve;
  });
  out(greeting(config, server));
  await asked;
  // It also keeps the process here when nothing else does: waiting for workers does not.
  const limit = setTimeout(() => {
    log('warn', 'the shutdown took too long and was cut short');
    process.exit(EXIT_OK);
  }, SHUTDOWN_LIMIT);
  try {
    await server.stop();
    return EXIT_OK;
  } catch (error) {
    log('error', 'the shutdown failed', { error: String(error) });
    return EXIT_FAILED;
  } finally {
    clearTimeout(limit);
  }
}

export const start: Command = {
  name: 'start',
  summary: 'runs the server (what happens without a command)',
  usage: '[settings]',
  settings: true,
  options: [{ name: 'print-config', meaning: 'shows each setting’s value and where it came from, and ends' }],
  async run(given, surroundings) {
    const { config, values, warnings, notes } = loadSettings(given, surroundings);
    if (given.has('print-config')) {
      surroundings.out(configTable(values));
      return EXIT_OK;
    }
    const gate = new Gatekeeper(readAuthKey(config));
    const log = createLog(config.LOG_LEVEL, config.LOG_FORMAT);
    for (const note of notes) log('warn', 'a file with settings has something unknown', { note });
    for (const { setting, text } of warnings) log('warn', 'a setting deserves a look', { setting, reason: text });
    try {
      return await serve(config, gate, log, surroundings.out);
    } catch (error) {
      throw new CommandError(`can not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  },
};
