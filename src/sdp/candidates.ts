/** Which addresses clients are told to send to. */
import { isIPv4, isIPv6 } from 'node:net';
import type { LocalCandidate } from '../../workers/protocol.js';

/** RFC 8445 section 5.1.2.1: the type preference of host candidates; the component is always 1. */
const HOST_TYPE_PREFERENCE = 126;

const LOOPBACK = '127.0.0.1';

/** The local preference of the n-th address: earlier ones are better, loopback is the last resort. */
function hostPriority(localPreference: number): number {
  return HOST_TYPE_PREFERENCE * 2 ** 24 + localPreference * 2 ** 8 + 255;
}

/**
 * The host candidates to announce: public addresses take the place of the local ones of their family (1:1 NAT).
 *
 * @param local the shard's own, all on one UDP port
 * @param options.publicIps addresses of either family; others are ignored
 * @param options.ownIps those of the local ones that may be announced; null or absent = all
 * @param options.loopback whether the client's signalling came from this machine: it is told 127.0.0.1 too
 * @returns each address once, in order of priority; IPv6 link-local ones are left out, they mean nothing elsewhere
 */
export function announcedCandidates(
  local: LocalCandidate[],
  options: { publicIps: string[]; ownIps?: readonly string[] | null; loopback: boolean },
): LocalCandidate[] {
  const publicFour = options.publicIps.filter((address) => isIPv4(address));
  const publicSix = options.publicIps.filter((address) => isIPv6(address));
  const port = local[0]?.port;
  if (port === undefined) return [];
  const addresses: string[] = [];
  for (const { address } of local) {
    if (options.ownIps && !options.ownIps.includes(address)) continue;
    if (isIPv4(address) ? publicFour.length > 0 : publicSix.length > 0 || /^fe[89ab]/i.test(address)) continue;
    addresses.push(address);
  }
  const announced = new Set([...publicFour, ...publicSix, ...addresses]);
  announced.delete(LOOPBACK);
  // A machine without any other address serves clients of its own only.
  const hasLoopback = options.loopback || announced.size === 0;
  const candidates = [...announced].map((address, index) => ({
    foundation: String(index + 1),
    priority: hostPriority(65535 - index),
    address,
    port,
  }));
  if (hasLoopback) {
    candidates.push({
      foundation: String(candidates.length + 1),
      priority: hostPriority(0),
      address: LOOPBACK,
      port,
    });
  }
  return candidates;
}
