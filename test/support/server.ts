/** Runs the real server, as `npm start` would, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ServerOptions {
  /** Settings beside the defaults of a test: blocks in memory, free ports. */
  env?: Record<string, string>;
  /** SFU_WORKERS; 1 unless told. */
  workers?: number;
  /** Files that it may have open (`ulimit -n`); as many as this process unless told. */
  files?: number;
}

export interface RunningServer {
  wsUrl: string;
  httpUrl: string;
  /** The Admin API over HTTP, with its path; null where it is off (no ADMIN_SECRET among the settings). */
  adminUrl: string | null;
  /** The Admin API over WebSockets; null likewise. */
  adminWsUrl: string | null;
  pid: number;
  /** Sends SIGTERM, and waits for the end. Returns the exit code; -1 if a signal ended it. */
  stop(): Promise<number>;
  /** All that it has written so far, both outputs together. */
  output(): string;
  /** The process, for tests that end it in other ways. */
  process: ChildProcess;
}

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const START_LIMIT = 40_000;
const STOP_LIMIT = 20_000;
/** Below the range from which Linux gives out ports by itself (32768..60999). */
const MEDIA_PORTS = { first: 20_000, last: 32_000 };

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** Finds as many consecutive UDP ports that are free now. Drawn at random: tests run side by side. */
async function freeMediaPorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = MEDIA_PORTS.first + Math.floor(Math.random() * (MEDIA_PORTS.last - MEDIA_PORTS.first - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} consecutive UDP ports are free`);
}

/** The port of the server's first worker, as its start message names it. */
export function mediaPortOf(server: RunningServer): number {
  const port = Number(/media +UDP (\d+)/.exec(server.output())?.[1]);
  if (!port) throw new Error(`the server names no media port:\n${server.output()}`);
  return port;
}

/** Starts the compiled server and waits until it is ready. Rejects with what it wrote if that never comes. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const workers = options.workers ?? 1;
  let lastError = new Error('unreachable');
  // Between finding a free port and using it somebody else may take it: then with others.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      return await launch({ ...options, workers, rtpPort: await freeMediaPorts(workers), env: options.env ?? {} });
    } catch (error) {
      lastError = error instanceof Error ? error : new Error(String(error));
      if (options.env?.RTP_PORT !== undefined || !/in use|EADDRINUSE/i.test(lastError.message)) break;
    }
  }
  throw lastError;
}

interface Launch {
  workers: number;
  rtpPort: number;
  env: Record<string, string>;
  files?: number;
}

async function launch(options: Launch) {
  const node = [process.execPath, '--enable-source-maps', MAIN] as const;
  const limited = ['/bin/sh', '-c', `ulimit -n ${options.files}; exec "$@"`, 'sh', ...node] as const;
  const [program, ...args] = options.files === undefined ? node : limited;
  const child = spawn(program, args, {
    env: {
      ...process.env,
      WS_PORT: '0',
      HTTP_PORT: '0',
      ADMIN_PORT: '0',
      ADMIN_WS_PORT: '0',
      RTP_PORT: String(options.rtpPort),
      SFU_WORKERS: String(options.workers),
      BLOCK_STORE: 'memory',
      LOG_FORMAT: 'text',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : -1));
  const hasAdmin = options.env.ADMIN_SECRET !== undefined;
  interface Ports {
    ws: string;
    http: string;
    admin: { http: string; ws: string } | null;
  }
  const ports = await new Promise<Ports>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}:\n${output}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail('the server was not ready in time');
    }, START_LIMIT);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const ws = /signalling +wss?:\/\/\S+:(\d+)\//.exec(output)?.[1];
      const http = /page +https?:\/\/\S+:(\d+)\//.exec(output)?.[1];
      const [, adminHttp, adminWs] = /admin +http:\S+:(\d+)\/admin, ws:\S+:(\d+)\//.exec(output) ?? [];
      if (!ws || !http || (hasAdmin && !adminWs)) return;
      clearTimeout(timer);
      resolve({ ws, http, admin: adminHttp && adminWs ? { http: adminHttp, ws: adminWs } : null });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    // Not at `exit`: its last words may still be in the pipe.
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`the server ended with ${signal ?? `code ${code}`}`);
    });
  });
  const secure = options.env.TLS_CERT === undefined ? '' : 's';
  return {
    wsUrl: `ws${secure}://127.0.0.1:${ports.ws}`,
    httpUrl: `http${secure}://127.0.0.1:${ports.http}`,
    adminUrl: ports.admin && `http://127.0.0.1:${ports.admin.http}/admin`,
    adminWsUrl: ports.admin && `ws://127.0.0.1:${ports.admin.ws}`,
    pid: child.pid ?? -1,
    process: child,
    output: () => output,
    async stop(): Promise<number> {
      // A second signal would mean "now".
      if (!child.killed) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  } satisfies RunningServer;
}
