/** The relays that are measured beside each other, each a process of its own, started and stopped behind one interface. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startServer } from '../test/support/server.js';
import { endWithUs } from './children.js';
import type { LoadTarget } from './load/protocol.js';

export type ContenderName = 'janus-sfu' | 'bare loop' | 'Janus videoroom';

/** A relay that is up. */
export interface Contender {
  name: ContenderName;
  pid: number;
  target: LoadTarget;
  stop(): Promise<void>;
}

/** Of our server: no limit that a bench would meet. */
const UNLIMITED = {
  LOG_LEVEL: 'warn',
  MAX_ROOM_SIZE: '100000',
  MAX_CCU: '100000',
  WS_CONNECTIONS_PER_ADDRESS: '100000',
  WS_REQUEST_RATE: '1000000',
  WS_REQUEST_BURST: '1000000',
  UNJOINED_HANDLES_PER_CONNECTION: '100000',
};

/** @param env settings beside those that lift every limit */
export async function startJanusSfu(
  workers = 1,
  env: Record<string, string> = {},
): Promise<Contender & { wsUrl: string; httpUrl: string }> {
  const server = await startServer({ workers, env: { ...UNLIMITED, ...env } });
  endWithUs(server.process);
  return {
    name: 'janus-sfu',
    pid: server.pid,
    target: { kind: 'janus', url: server.wsUrl },
    wsUrl: server.wsUrl,
    httpUrl: server.httpUrl,
    stop: async () => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`the server ended with ${code}:\n${server.output()}`);
    },
  };
}

export async function startBareLoop(): Promise<Contender> {
  const child = fork(fileURLToPath(new URL('./bare-loop.js', import.meta.url)));
  endWithUs(child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    name: 'bare loop',
    pid: child.pid ?? 0,
    target: { kind: 'bare', port },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
