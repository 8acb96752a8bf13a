/** One run of forwarding through a relay: connects, warms up, measures. */
import { setTimeout as elapse } from 'node:timers/promises';
import type { Contender, ContenderName } from './contenders.js';
import { GeneratorProcess } from './load/generator-process.js';
import type { Quantiles } from './load/histogram.js';
import { cpuMicroseconds, residentBytes } from './load/process-stats.js';
import type { Rates } from './load/protocol.js';
import type { Shape } from './load/shape.js';

/** Long enough that the engines of JavaScript have compiled what runs per packet: before, that is most of what is measured. */
export const WARM_UP_MS = 8000;
/** Subscribers whose memory doesn't count: with them come code and heap that are needed once. */
const FIRST_SUBSCRIBERS = 10;
const MIB = 2 ** 20;

export interface ForwardingCase {
  shape: Shape;
  rates: Rates;
  /** Of measuring. */
  seconds: number;
  /** Milliseconds; `WARM_UP_MS` unless told. */
  warmUp?: number;
}

export interface ForwardingResult {
  relay: ContenderName;
  /** User + system microseconds of the relay's process per packet that a subscriber received. */
  cpuPerPacket: number;
  /** Of one core, 0..1 and more. */
  cpuLoad: number;
  /** Packets per second that subscribers received. */
  forwardedPerSecond: number;
  /** Share of the packets that subscribers should have received, 0..1. */
  loss: number;
  /** Milliseconds. */
  latency: Quantiles;
  /** Growth of resident memory per subscriber peer, MiB. */
  memoryPerSubscriber: number;
}

/** What a relay does for its subscribers while it forwards, from now on for `seconds`. */
export async function measureWindow(
  { name, pid }: Contender,
  generator: GeneratorProcess,
  seconds: number,
): Promise<Omit<ForwardingResult, 'memoryPerSubscriber'>> {
  await generator.begin();
  const cpuBefore = cpuMicroseconds(pid);
  const startedAt = performance.now();
  await elapse(seconds * 1000);
  const cpu = cpuMicroseconds(pid) - cpuBefore;
  const elapsed = (performance.now() - startedAt) * 1000;
  const { expected, received, latency } = await generator.end();
  return {
    relay: name,
    cpuPerPacket: cpu / received,
    cpuLoad: cpu / elapsed,
    forwardedPerSecond: received / (elapsed / 1e6),
    loss: 1 - received / expected,
    latency,
  };
}

/** A whole run against a relay that is up and has no other peers. */
export async function measureForwarding(contender: Contender, one: ForwardingCase): Promise<ForwardingResult> {
  const { shape, rates, seconds, warmUp = WARM_UP_MS } = one;
  const generator = new GeneratorProcess();
  try {
    await generator.connect(contender.target);
    await generator.publish(shape);
    const first = await generator.subscribe({ count: FIRST_SUBSCRIBERS });
    const before = residentBytes(contender.pid);
    const rest = await generator.subscribe();
    // Of so few there is nothing to tell.
    const grown = rest.connected === 0 ? Number.NaN : (residentBytes(contender.pid) - before) / MIB / rest.connected;
    if (first.connected === 0) throw new Error('there is nobody to forward to');
    await generator.send(rates);
    await elapse(warmUp);
    const result = { ...(await measureWindow(contender, generator, seconds)), memoryPerSubscriber: grown };
    await generator.stop();
    return result;
  } finally {
    generator.kill();
  }
}

/** In words, on one line. */
export function forwardingLine(result: ForwardingResult): string {
  const { cpuPerPacket, cpuLoad, forwardedPerSecond, loss, latency, memoryPerSubscriber } = result;
  return [
    result.relay.padEnd(15),
    `${cpuPerPacket.toFixed(2)} us/packet`,
    `${(cpuLoad * 100).toFixed(0)} % of a core`,
    `${forwardedPerSecond.toFixed(0)} packets/s`,
    `latency p50 ${latency.p50.toFixed(2)} p99 ${latency.p99.toFixed(2)} ms`,
    `loss ${(loss * 100).toFixed(3)} %`,
    `${memoryPerSubscriber.toFixed(3)} MiB/subscriber`,
  ].join(', ');
}
