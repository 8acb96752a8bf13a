import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv4, isIPv6 } from 'node:net';
import { enforcedAddresses, type Machine } from '../../config/machine.js';
import type { Config } from '../../config/schema.js';
import { unreachable } from '../../config/warnings.js';
import { announcedCandidates } from '../../sdp/candidates.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { bindUdp } from './ports.js';

/** Milliseconds for a packet to itself. */
const WAIT = 1000;

/** The addresses that clients elsewhere are told to send media to. */
export function announcedAddresses(config: Config, machine: Machine): string[] {
  const own = [...machine.interfaces.values()].flat();
  const four = own.filter((address) => isIPv4(address));
  const local = [...four, ...own.filter((address) => isIPv6(address) && address !== '::1')];
  const candidates = announcedCandidates(
    local.map((address) => ({ foundation: '', priority: 0, address, port: config.RTP_PORT })),
    { publicIps: config.PUBLIC_IP, ownIps: enforcedAddresses(config.NETWORK_INTERFACE, machine), loopback: false },
  );
  return candidates.map(({ address }) => address);
}

/** Whether a packet to the address arrives at the socket. */
async function arrives(receiver: Socket, address: string, port: number): Promise<boolean> {
  const nonce = randomBytes(16);
  const sender = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  // Where there is no route, the sending fails: it then has not arrived.
  sender.on('error', () => {});
  let stop = () => {};
  const arrived = new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, WAIT, false);
    const onMessage = (message: Buffer) => message.equals(nonce) && resolve(true);
    receiver.on('message', onMessage);
    sender.send(nonce, port, address, (error) => error && resolve(false));
    stop = () => {
      clearTimeout(timer);
      receiver.off('message', onMessage);
    };
  });
  const result = await arrived;
  stop();
  sender.close();
  return result;
}

/**
 * Sends a packet to the media port at every address that clients are told, and looks whether it comes back in. That shows
 * a firewall of this machine, and a NAT that turns packets around; what is in front of it can only be tried from outside.
 *
 * @returns nothing if the port is taken: another check says so
 */
export async function checkReachability(config: Config, machine: Machine): Promise<Finding[]> {
  const port = config.RTP_PORT;
  const last = port + config.SFU_WORKERS - 1;
  const range = last === port ? `UDP ${port}` : `UDP ${port}-${last}`;
  const own = new Set([...machine.interfaces.values()].flat());
  const receiver = await bindUdp(port).catch(() => null);
  if (!receiver) return [];
  const findings: Finding[] = [];
  const addresses = announcedAddresses(config, machine);
  for (const address of addresses) {
    const arrived = await arrives(receiver, address, port);
    const topic = 'media address';
    if (arrived) findings.push(ok(topic, `${address} gets ${range}`));
    else if (own.has(address)) {
      findings.push(problem(topic, `${address} does not get ${range}`, `Allow ${range} in this machine’s firewall.`));
    } else {
      findings.push(
        warning(
          topic,
          `${address} (PUBLIC_IP) can not be tried from here: its NAT does not turn packets around`,
          `Allow and forward ${range} there, then try the page from another network.`,
        ),
      );
    }
  }
  receiver.close();
  if (config.PUBLIC_IP.length === 0 && addresses.every((address) => unreachable(address) !== null)) {
    const text = `clients are told ${addresses.join(', ')}: enough for this network, but nothing that the Internet reaches`;
    findings.push(
      warning('PUBLIC_IP', text, 'Set PUBLIC_IP to the address that clients reach, if they come from elsewhere.'),
    );
  }
  return findings;
}
