#!/usr/bin/env node
/** The command: reads the settings, starts the server, and stops it on a signal. */
import { type Config, packageVersion, readConfig, readSettingFile } from './config.js';
import { type AdjustableLog, createLog } from './observability/log.js';
import { type RunningServer, startServer } from './server.js';
import { Gatekeeper, readPublicKey } from './sfu/token.js';

/** A configuration that the server refuses to start with. */
const EXIT_CONFIG = 2;
/** Something it needs is not to be had: a port, a worker. */
const EXIT_FAILED = 1;
/** Milliseconds: the promise is 10 s from the signal to the exit. */
const SHUTDOWN_LIMIT = 9000;

function gatekeeper(config: Config): Gatekeeper {
  const file = config.AUTH_KEY;
  if (file === undefined) return new Gatekeeper(null);
  const bytes = readSettingFile('AUTH_KEY', file);
  try {
    return new Gatekeeper(readPublicKey(bytes));
  } catch (error) {
    throw new Error(`AUTH_KEY=${JSON.stringify(file)}: ${error instanceof Error ? error.message : error}`);
  }
}

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

async function start(config: Config, gate: Gatekeeper, log: AdjustableLog): Promise<void> {
  let end: () => void = () => process.exit(0);
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals) => {
    log('info', signalled ? 'second signal: ending now' : 'shutting down', { signal });
    if (signalled) process.exit(EXIT_FAILED);
    signalled = true;
    end();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const server = await startServer(config, gate, log);
  end = () => {
    setTimeout(() => {
      log('warn', 'the shutdown took too long and was cut short');
      process.exit(0);
    }, SHUTDOWN_LIMIT).unref();
    server.stop().then(
      () => process.exit(0),
      (error) => {
        log('error', 'the shutdown failed', { error: String(error) });
        process.exit(EXIT_FAILED);
      },
    );
  };
  process.stdout.write(greeting(config, server));
}

/** Says why the server does not start, a line for each reason. */
function giveUp(problems: string[], code: number): never {
  for (const problem of problems) process.stderr.write(`janus-sfu: ${problem}\n`);
  process.exit(code);
}

const read = readConfig(process.env);
if (!read.ok) giveUp(read.problems, EXIT_CONFIG);
const { config } = read;
let gate: Gatekeeper;
try {
  gate = gatekeeper(config);
} catch (error) {
  giveUp([error instanceof Error ? error.message : String(error)], EXIT_CONFIG);
}
start(config, gate, createLog(config.LOG_LEVEL, config.LOG_FORMAT)).catch((error) => {
  giveUp([`can not start: ${error instanceof Error ? error.message : String(error)}`], EXIT_FAILED);
});
