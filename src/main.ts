#!/usr/bin/env node
/** The composition root: reads the settings, puts the parts together, and takes them apart again on a signal. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { type Config, readConfig, readSettingFile } from './config.js';
import { startPage } from './http/page.js';
import { JanusApi } from './janus/api.js';
import { serverInfo } from './janus/server-info.js';
import { Sessions } from './janus/sessions.js';
import { WebSocketTransport } from './janus/transports/websocket.js';
import { createLog, type Log, type LogFields } from './observability/log.js';
import { type BlockStore, MemoryBlockStore, openLmdbBlockStore } from './sfu/block-store.js';
import { Blocks } from './sfu/blocks.js';
import { Peers } from './sfu/peers.js';
import { SfuPlugin } from './sfu/plugin.js';
import { Presence } from './sfu/presence.js';
import { Switchboard } from './sfu/switchboard.js';
import { Gatekeeper, readPublicKey } from './sfu/token.js';
import { Shards } from './shards/pool.js';

/** A configuration that the server refuses to start with. */
const EXIT_CONFIG = 2;
/** Something it needs is not to be had: a port, a worker. */
const EXIT_FAILED = 1;
/** Milliseconds: the promise is 10 s from the signal to the exit. */
const SHUTDOWN_LIMIT = 9000;

function version(): string {
  for (const level of ['../', '../../', '../../../']) {
    try {
      const found = JSON.parse(readFileSync(new URL(`${level}package.json`, import.meta.url), 'utf8'));
      if (found.name === 'janus-sfu') return String(found.version);
    } catch {
      // Not here: the built files lie one or two folders below the package's own.
    }
  }
  return '0.0.0';
}

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

/** Blocks that can't be kept are no reason to turn everybody away: they then work until the server ends. */
function blockStore(config: Config, log: Log): BlockStore {
  if (config.BLOCK_STORE === 'memory') return new MemoryBlockStore();
  try {
    return openLmdbBlockStore(config.DATA_DIR);
  } catch (error) {
    const reason = `blocks will be lost at the next restart: make DATA_DIR writable (${String(error)})`;
    log('error', 'the block store can not be opened', { folder: config.DATA_DIR, reason });
    return new MemoryBlockStore();
  }
}

function localAddress(): string {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

function startShards(config: Config, log: Log): Promise<Shards> {
  return Shards.start({
    workers: config.SFU_WORKERS,
    rtpPort: config.RTP_PORT,
    placement: config.PLACEMENT,
    settings: {
      videoBitrateMax: config.VIDEO_BITRATE_MAX,
      dataBacklogMax: config.DATA_BACKLOG_MAX,
      unreliableLabels: config.UNRELIABLE_LABELS,
      noMediaTimeout: config.NO_MEDIA_TIMEOUT,
      slowlinkThreshold: config.SLOWLINK_THRESHOLD,
      addonFolders: config.ADDON_FOLDERS,
      batchScheduling: config.BATCH_SCHEDULING,
    },
    log: (level, message, fields) => log(level, message, plainFields(fields)),
  });
}

function plainFields(fields: object): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
  );
}

/** Everything between the sockets and the shards. */
function composeApi(config: Config, shards: Shards, gate: Gatekeeper, store: BlockStore, log: Log) {
  const blocks = new Blocks(store, config.BLOCKS_PER_USER);
  const presence = new Presence(shards, blocks);
  const sdp = { videoCodecs: config.VIDEO_CODECS, dataChannelMaxMessageSize: config.DATA_MESSAGE_BYTES_MAX };
  const plugin = new SfuPlugin(
    { idBytesMax: config.ID_BYTES_MAX, subscribeWait: config.SUBSCRIBE_WAIT },
    {
      switchboard: new Switchboard({
        maxRoomSize: config.MAX_ROOM_SIZE,
        maxCcu: config.MAX_CCU,
        notifyScope: config.NOTIFY_SCOPE,
        replyIncludesSelf: config.JOIN_REPLY_INCLUDES_SELF,
      }),
      blocks,
      presence,
      gatekeeper: gate,
      peers: new Peers(shards, presence, { sdp, publicIps: config.PUBLIC_IP }, log),
      shards,
      log,
    },
  );
  const sessions = new Sessions({
    sessionTimeout: config.SESSION_TIMEOUT,
    reclaimTimeout: config.RECLAIM_SESSION_TIMEOUT,
    sessionsPerConnection: config.SESSIONS_PER_CONNECTION,
    handlesPerConnection: config.HANDLES_PER_CONNECTION,
    unjoinedHandlesPerConnection: config.UNJOINED_HANDLES_PER_CONNECTION,
    requestsPerHandle: config.REQUESTS_PER_HANDLE,
  });
  const facts = {
    version: version(),
    serverName: config.SERVER_NAME,
    localIp: localAddress(),
    publicIps: config.PUBLIC_IP,
    ipv6: true,
    workers: shards.count,
    sessionTimeout: config.SESSION_TIMEOUT / 1000,
    reclaimSessionTimeout: config.RECLAIM_SESSION_TIMEOUT / 1000,
    authKey: config.AUTH_KEY !== undefined,
  };
  const info = (state: { acceptingSessions: boolean }) => serverInfo(facts, state);
  const api = new JanusApi({ sessions, plugin, info, log, now: () => performance.now() });
  return { api, plugin };
}

function composeTransport(config: Config, api: JanusApi, log: Log): WebSocketTransport {
  return new WebSocketTransport(
    {
      host: config.BIND,
      port: config.WS_PORT,
      messageBytesMax: config.WS_MESSAGE_BYTES_MAX,
      fragmentsMax: config.WS_FRAGMENTS_MAX,
      backlogBytesMax: config.WS_BACKLOG_BYTES_MAX,
      requestRate: config.WS_REQUEST_RATE,
      requestBurst: config.WS_REQUEST_BURST,
      connectionsPerAddress: config.WS_CONNECTIONS_PER_ADDRESS,
      idleTimeout: config.WS_IDLE_TIMEOUT,
      pingInterval: config.WS_PING_INTERVAL,
      pongTimeout: config.WS_PONG_TIMEOUT,
    },
    api,
    log,
  );
}

/** What a client sees of a shutdown: a hangup for each PeerConnection, then close code 1012. */
async function shutDown(parts: {
  api: JanusApi;
  plugin: SfuPlugin;
  transport: WebSocketTransport;
  page: { close(): Promise<void> };
  shards: Shards;
  store: BlockStore;
}): Promise<void> {
  const { api, plugin, transport, page, shards, store } = parts;
  api.refuseSessions();
  transport.stopAccepting();
  plugin.sayGoodbye();
  await transport.close();
  await api.endAll();
  await page.close();
  await shards.stop();
  await store.close();
}

function greeting(config: Config, ports: { ws: number; http: number }): string {
  const lastPort = config.RTP_PORT + config.SFU_WORKERS - 1;
  const media = lastPort === config.RTP_PORT ? `${lastPort}` : `${config.RTP_PORT}-${lastPort}`;
  return [
    `janus-sfu ${version()} is ready`,
    `  page        http://localhost:${ports.http}/`,
    `  signalling  ws://localhost:${ports.ws}/ (subprotocol janus-protocol)`,
    `  media       UDP ${media} (${config.SFU_WORKERS} ${config.SFU_WORKERS === 1 ? 'worker' : 'workers'})`,
    '',
  ].join('\n');
}

async function start(config: Config, gate: Gatekeeper, log: Log): Promise<void> {
  let end: () => void = () => process.exit(0);
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals) => {
    log('info', signalled ? 'second signal: ending now' : 'shutting down', { signal });
    if (signalled) process.exit(EXIT_FAILED);
    signalled = true;
    end();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

  const shards = await startShards(config, log);
  const store = blockStore(config, log);
  const { api, plugin } = composeApi(config, shards, gate, store, log);
  const transport = composeTransport(config, api, log);
  const ws = await transport.listen();
  const page = await startPage({
    port: config.HTTP_PORT,
    host: config.BIND,
    wsPort: ws,
    log: {
      debug: (fields, message) => log('debug', message, plainFields(fields)),
      warn: (fields, message) => log('warn', message, plainFields(fields)),
    },
  });
  const sweep = setInterval(() => api.sweep(), 1000);
  end = () => {
    clearInterval(sweep);
    setTimeout(() => {
      log('warn', 'the shutdown took too long and was cut short');
      process.exit(0);
    }, SHUTDOWN_LIMIT).unref();
    shutDown({ api, plugin, transport, page, shards, store }).then(
      () => process.exit(0),
      (error) => {
        log('error', 'the shutdown failed', { error: String(error) });
        process.exit(EXIT_FAILED);
      },
    );
  };
  process.stdout.write(greeting(config, { ws, http: page.port }));
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
