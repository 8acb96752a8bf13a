import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/schema.js';
import { type Finding, ok, problem } from './finding.js';

interface TcpPort {
  setting: 'WS_PORT' | 'HTTP_PORT' | 'ADMIN_PORT' | 'ADMIN_WS_PORT';
  port: number;
  host: string | undefined;
  hostSetting: string;
}

function tcpPorts(config: Config): TcpPort[] {
  const main = { host: config.BIND, hostSetting: 'BIND' };
  const admin = { host: config.ADMIN_BIND, hostSetting: 'ADMIN_BIND' };
  return [
    { setting: 'WS_PORT', port: config.WS_PORT, ...main },
    { setting: 'HTTP_PORT', port: config.HTTP_PORT, ...main },
    ...(config.ADMIN_SECRET === undefined
      ? []
      : [
          { setting: 'ADMIN_PORT' as const, port: config.ADMIN_PORT, ...admin },
          { setting: 'ADMIN_WS_PORT' as const, port: config.ADMIN_WS_PORT, ...admin },
        ]),
  ];
}

/** The error's code, or its text. */
const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error));

async function tcpError({ port, host }: TcpPort): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) });
    await once(server, 'listening');
    return null;
  } catch (error) {
    return codeOf(error);
  } finally {
    server.close();
  }
}

function explained(topic: string, port: number, setting: string, hostSetting: string, code: string): Finding {
  if (code === 'EADDRINUSE') {
    const tool = setting === 'RTP_PORT' ? 'ss -lunp' : 'ss -ltnp';
    return problem(
      topic,
      `port ${port} is taken`,
      `Stop what uses it ("${tool}" says what; perhaps janus-sfu runs already), or set ${setting} to another.`,
    );
  }
  if (code === 'EACCES') {
    return problem(topic, `port ${port} is not allowed to this user`, `Set ${setting} to 1024 or more.`);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return problem(
      topic,
      `this machine has not the address to listen on (${code})`,
      `Correct ${hostSetting}, or leave it unset.`,
    );
  }
  return problem(topic, `port ${port} can not be used (${code})`, `Set ${setting} to another.`);
}

/** Whether the TCP ports are free, one finding each. */
export async function checkTcpPorts(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const seen = new Map<number, string>();
  for (const one of tcpPorts(config)) {
    const topic = `TCP ${one.setting}`;
    const same = one.port === 0 ? undefined : seen.get(one.port);
    seen.set(one.port, one.setting);
    if (same !== undefined) {
      findings.push(problem(topic, `port ${one.port} is that of ${same} too`, `Set ${one.setting} to another.`));
      continue;
    }
    const code = await tcpError(one);
    if (code !== null) findings.push(explained(topic, one.port, one.setting, one.hostSetting, code));
    else findings.push(ok(topic, one.port === 0 ? 'any free port' : `port ${one.port} is free`));
  }
  return findings;
}

/** Binds a UDP port as a shard does: for both families, or for IPv4 where there is no other. Rejects with the cause. */
export async function bindUdp(port: number): Promise<Socket> {
  const bind = async (type: 'udp4' | 'udp6') => {
    const socket = createSocket({ type, ipv6Only: false });
    try {
      socket.bind({ port, exclusive: true });
      await once(socket, 'listening');
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  };
  return bind('udp6').catch((error) => {
    if (codeOf(error) !== 'EAFNOSUPPORT') throw error;
    return bind('udp4');
  });
}

/** Whether the workers' UDP ports are free: a finding for each that is not, or one for all. */
export async function checkUdpPorts({ RTP_PORT: first, SFU_WORKERS: workers }: Config): Promise<Finding[]> {
  const topic = 'UDP RTP_PORT';
  const findings: Finding[] = [];
  for (let port = first; port < first + workers; port += 1) {
    try {
      (await bindUdp(port)).close();
    } catch (error) {
      findings.push(explained(topic, port, 'RTP_PORT', 'RTP_PORT', codeOf(error)));
    }
  }
  if (findings.length > 0) return findings;
  return [ok(topic, workers === 1 ? `port ${first} is free` : `ports ${first}-${first + workers - 1} are free`)];
}
