import type { KeyObject } from 'node:crypto';
import { packageVersion } from '../config/package-version.js';
import type { Config } from '../config/schema.js';
import { configTable } from '../config/shown.js';
import { TlsCertificate } from '../http/tls.js';
import { type AdjustableLog, createLog } from '../observability/log.js';
import { startShards } from '../server/shards.js';
import type { RunningServer } from '../server.js';
import { type Command, CommandError, EXIT_FAILED, EXIT_OK } from './command.js';
import { loadSettings, readAuthKey, readTls } from './settings.js';

/** Milliseconds: the promise is 10 s from the signal to the exit. */
const SHUTDOWN_LIMIT = 9000;
/** Milliseconds before a certificate's end from when on the start warns. */
const EXPIRY_WARNING = 14 * 86_400_000;

function greeting(config: Config, { ports, node }: RunningServer, tls: TlsCertificate | null): string {
  const lastPort = config.RTP_PORT + config.SFU_WORKERS - 1;
  const media = lastPort === config.RTP_PORT ? `${lastPort}` : `${config.RTP_PORT}-${lastPort}`;
  const { admin } = ports;
  // Browsers complain about names that the certificate is not for.
  const host = tls?.pair.names.find((name) => !name.includes('*')) ?? 'localhost';
  const s = tls ? 's' : '';
  const adminHost = config.ADMIN_BIND.includes(':') ? `[${config.ADMIN_BIND}]` : config.ADMIN_BIND;
  return [
    `janus-sfu ${packageVersion()} is ready`,
    `  page        http${s}://${host}:${ports.http}/`,
    `  signalling  ws${s}://${host}:${ports.ws}/ (subprotocol janus-protocol)`,
    `  media       UDP ${media} (${config.SFU_WORKERS} ${config.SFU_WORKERS === 1 ? 'worker' : 'workers'})`,
    ...(admin ? [`  admin       http://${adminHost}:${admin.http}/admin, ws://${adminHost}:${admin.ws}/`] : []),
    ...(admin ? [`  dashboard   http://${adminHost}:${admin.http}/`] : []),
    ...(node === null ? [] : [`  cluster     ${config.CLUSTER_NAME}, other nodes reach this one at ${node}`]),
    '',
  ].join('\n');
}

/** Lets sessions go on, without new ones, until they have ended, the time is over, or a signal says that it is enough. */
async function drain(
  server: RunningServer,
  timeout: number,
  signal: NodeJS.Signals,
  another: Promise<NodeJS.Signals>,
  log: AdjustableLog,
): Promise<void> {
  log('info', 'draining: no new sessions are taken', { signal, seconds: timeout / 1000 });
  let stop = () => {};
  const over = new Promise<string>((resolve) => {
    const timer = setTimeout(resolve, timeout, 'the time is over');
    stop = () => clearTimeout(timer);
  });
  const empty = server.drain().then(() => 'no sessions are left');
  const reason = await Promise.race([empty, over, another.then((name) => `another ${name}`)]);
  stop();
  log('info', 'drained', { reason });
}

/** What a server is run with. */
interface ServeParts {
  config: Config;
  authKey: KeyObject | null;
  tls: TlsCertificate | null;
  log: AdjustableLog;
  out: (text: string) => void;
}

/** Runs the server until a signal; resolves with the exit code when it has ended. */
async function serve({ config, authKey, tls, log, out }: ServeParts): Promise<number> {
  let onSignal: (name: NodeJS.Signals) => void = () => process.exit(EXIT_OK);
  const nextSignal = () =>
    new Promise<NodeJS.Signals>((resolve) => {
      onSignal = resolve;
    });
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => onSignal(name));
  const starting = startShards(config, log);
  // It is told below; until then it is nobody's fault.
  starting.catch(() => {});
  // Late: while the workers start there is time to load it.
  const { startServer } = await import('../server.js');
  const server = await startServer(config, starting, authKey, tls, log);
  const asked = nextSignal();
  out(greeting(config, server, tls));
  const reason = await Promise.race([asked.then((signal) => ({ signal })), server.broken]);
  const broken = typeof reason === 'string';
  if (broken) {
    log('fatal', 'ending, to be started again', { reason });
  } else {
    const { signal } = reason;
    if (config.DRAIN_TIMEOUT > 0) await drain(server, config.DRAIN_TIMEOUT, signal, nextSignal(), log);
    log('info', 'shutting down', { signal });
  }
  onSignal = (name) => {
    log('info', 'another signal: ending now', { signal: name });
    process.exit(EXIT_FAILED);
  };
  // It also keeps the process here when nothing else does: waiting for workers does not.
  const limit = setTimeout(() => {
    log('warn', 'the shutdown took too long and was cut short');
    process.exit(broken ? EXIT_FAILED : EXIT_OK);
  }, SHUTDOWN_LIMIT);
  try {
    await server.stop();
    return broken ? EXIT_FAILED : EXIT_OK;
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
    const authKey = readAuthKey(config);
    const log = createLog(config.LOG_LEVEL, config.LOG_FORMAT);
    for (const note of notes) log('warn', 'a file with settings has something unknown', { note });
    for (const { setting, text } of warnings) log('warn', 'a setting deserves a look', { setting, reason: text });
    const tls = readTls(config, (files) => new TlsCertificate(files, log));
    if (tls && tls.pair.validTo - Date.now() < EXPIRY_WARNING) {
      const until = new Date(tls.pair.validTo).toISOString();
      log('warn', 'a setting deserves a look', {
        setting: 'TLS_CERT',
        reason: `its certificate is valid until ${until}`,
      });
    }
    try {
      return await serve({ config, authKey, tls, log, out: surroundings.out });
    } catch (error) {
      throw new CommandError(`can not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  },
};
