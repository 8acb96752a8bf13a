/**
 * The host candidates that a shard announces: its one UDP port on each address of the machine.
 *
 * libdatachannel binds the port on all addresses, so they are known without waiting for it to gather.
 */
import os from 'node:os';
import type { LocalCandidate } from './protocol.js';

/** RFC 8445 5.1.2.1: type preference 126 (host), component 1. */
const priority = (localPreference: number) => 126 * 2 ** 24 + localPreference * 2 ** 8 + 255;

/** Milliseconds for which the machine's addresses are taken to be what they were: asking takes as long as an SDP. */
const ADDRESSES_GOOD_FOR = 1000;

let known: ReturnType<typeof os.networkInterfaces> = {};
let askedAt = Number.NEGATIVE_INFINITY;

/** The machine's addresses; as they last were where the process has no file left to ask for them. */
function interfacesNow(): ReturnType<typeof os.networkInterfaces> {
  const now = performance.now();
  if (now - askedAt < ADDRESSES_GOOD_FOR) return known;
  askedAt = now;
  try {
    known = os.networkInterfaces();
  } catch {}
  return known;
}
// Before there can be none left.
interfacesNow();

/** IPv4 first: every client has it, and an IPv6 address without a route costs checks. */
export function hostCandidates(port: number, interfaces = interfacesNow()): LocalCandidate[] {
  const addresses = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !entry.address.toLowerCase().startsWith('fe80:'))
    .sort((a, b) => a.family.localeCompare(b.family))
    .map((entry) => entry.address);
  return [...new Set(addresses)].map((address, index) => ({
    foundation: String(index + 1),
    priority: priority(65535 - index),
    address,
    port,
  }));
}
