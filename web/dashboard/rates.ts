import type { Loop } from './admin-api.js';

/** Numbers per second, of all workers together. */
export interface Rates {
  packetsIn: number;
  packetsOut: number;
  /** Bits. */
  bitsIn: number;
  bitsOut: number;
  drops: number;
  dropsByReason: Map<string, number>;
  /** Milliseconds, of the worker that is latest. */
  loopDelay: number;
}

export interface Reading {
  /** Milliseconds. */
  at: number;
  loops: Loop[];
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** What dropped packets there were, of all workers together. */
export function dropTotals(loops: readonly Loop[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { drops } of loops) {
    for (const [reason, count] of Object.entries(drops)) totals.set(reason, (totals.get(reason) ?? 0) + count);
  }
  return totals;
}

/** @returns how fast the counters of two readings grow; a worker that began anew in between counts from nothing */
export function ratesOf(before: Reading, now: Reading): Rates {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const grown = (count: (loop: Loop) => number) =>
    sum(
      now.loops.map((loop, index) => {
        const old = before.loops[index];
        return Math.max(0, count(loop) - (old ? count(old) : 0));
      }),
    ) / seconds;
  const reasons = new Set(now.loops.flatMap(({ drops }) => Object.keys(drops)));
  const dropsByReason = new Map([...reasons].map((reason) => [reason, grown(({ drops }) => drops[reason] ?? 0)]));
  return {
    packetsIn: grown((loop) => loop['packets-received']),
    packetsOut: grown((loop) => loop['packets-sent']),
    bitsIn: 8 * grown((loop) => loop['bytes-received']),
    bitsOut: 8 * grown((loop) => loop['bytes-sent']),
    drops: sum([...dropsByReason.values()]),
    dropsByReason,
    loopDelay: Math.max(0, ...now.loops.map((loop) => loop['loop-delay'] / 1000)),
  };
}

/** `1.2 k`, `35 M`, or the number itself where it is small. */
export function shortNumber(value: number): string {
  for (const [size, unit] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value < 10 * size ? 1 : 0)}${unit}`;
  }
  return value > 0 && value < 10 ? value.toFixed(1) : String(Math.round(value));
}
