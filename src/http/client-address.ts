import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Addresses of proxies in one header that are looked at; a client may write as many as it likes before them. */
const HOPS_MAX = 16;

/** Says whose request it is. */
export type AddressOf = (request: IncomingMessage) => string;

/** The address at the other end of the connection. */
export const peerAddress: AddressOf = (request) => request.socket.remoteAddress ?? '';

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** IPv4 addresses as they are on a socket for both families, without their prefix (RFC 4291 2.5.5.2). */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Whose request it is where proxies are in front: of `X-Forwarded-For`, read from its end, the first address that is no
 * proxy's. What a stranger writes into that header is not believed.
 *
 * @param proxies addresses, or networks as `10.0.0.0/8`
 */
export function addressBehind(proxies: readonly string[]): AddressOf {
  if (proxies.length === 0) return peerAddress;
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/');
    if (prefix === undefined) trusted.addAddress(address, familyOf(address));
    else trusted.addSubnet(address, Number(prefix), familyOf(address));
  }
  const isProxy = (address: string) => isIP(address) !== 0 && trusted.check(address, familyOf(address));
  return (request) => {
    const peer = peerAddress(request);
    const forwarded = request.headers['x-forwarded-for'];
    if (forwarded === undefined || !isProxy(plain(peer))) return peer;
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)
      .split(',')
      .slice(-HOPS_MAX)
      .map((hop) => plain(hop.trim()));
    let client = plain(peer);
    for (const hop of hops.reverse()) {
      // What stands here was written by the hop behind it, so a proxy; no address at all means that it is misused.
      if (isIP(hop) === 0) return client;
      client = hop;
      if (!isProxy(hop)) return client;
    }
    return client;
  };
}

/** Whether the address is of this machine's loopback (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address);
}
