import type { Figures } from './figures.js';

/** One time series of a metric: its value, and its labels' values in the order of the metric's labels. */
export type Sample = readonly [value: number, ...labels: string[]];

/** What one metric is called and means, and how it is read. Names and units are as Prometheus' conventions have them. */
export interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  /** Without a full stop, in Markdown without `|`. */
  help: string;
  /** Each of them has few values, whatever clients do. */
  labels: readonly string[];
  /** What the values of its one label mean, where their names do not say it: in Markdown without `|`. */
  meanings?: Readonly<Record<string, string>>;
  read(figures: Figures): Iterable<Sample>;
}

/** What all our metrics' names begin with. */
export const PREFIX = 'janus_sfu_';

/** A metric without labels. */
export function single(type: Metric['type'], name: string, help: string, read: (figures: Figures) => number): Metric {
  return { name: PREFIX + name, type, help, labels: [], read: (figures) => [[read(figures)]] };
}

/** A metric with one label or more. */
export function labelled(
  type: Metric['type'],
  name: string,
  labels: readonly string[],
  help: string,
  read: (figures: Figures) => Iterable<Sample>,
): Metric {
  return { name: PREFIX + name, type, help, labels, read };
}

/** Samples of counts by word. */
export function byWord(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([word, count]) => [count, word]);
}

/** `camelCase` as label values are written: `camel_case`. */
export function snakeCase(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}
