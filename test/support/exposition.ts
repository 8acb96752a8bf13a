/** A strict reader of Prometheus' text format, version 0.0.4: what breaks a rule or a naming convention is an error. */

export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const VALUE = /^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/i;
/** Prometheus has base units only. */
const NOT_BASE = /_(milliseconds|microseconds|millis|micros|minutes|kilobytes|megabytes|bits|percent)(_|$)/;

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== ''; ) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? [];
    if (whole === undefined || name.startsWith('__')) throw new Error(`not labels: {${text}}`);
    if (name in labels) throw new Error(`the label ${name} is there twice: {${text}}`);
    labels[name] = value.replace(/\\(["\\n])/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}

function readSample(line: string): Family['samples'][number] {
  const [, name = '', labels = '', value = ''] = /^([^{\s]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (!NAME.test(name) || !VALUE.test(value)) throw new Error(`not a sample: ${line}`);
  return { name, labels: readLabels(labels), value: Number(value.replace(/^([-+]?)Inf$/i, '$1Infinity')) };
}

function check({ name, type, help, samples }: Family): void {
  if (help === '') throw new Error(`${name} has no help`);
  if ((type === 'counter') !== name.endsWith('_total'))
    throw new Error(`${name}: counters, and only they, end in _total`);
  if (NOT_BASE.test(name)) throw new Error(`${name} has no base unit`);
  const series = new Set<string>();
  for (const sample of samples) {
    const own = type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    if (!own.includes(sample.name)) throw new Error(`${sample.name} is among the samples of ${name}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (series.has(key)) throw new Error(`this is there twice: ${key}`);
    series.add(key);
    if (type === 'counter' && !(sample.value >= 0)) throw new Error(`${key} is ${sample.value}`);
  }
}

/** Reads a whole scrape. @throws Error that names the first line or metric that is wrong */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  let current: Family | null = null;
  let help: { name: string; text: string } | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      if (help?.name !== name || !NAME.test(name)) throw new Error(`TYPE without HELP: ${line}`);
      if (families.has(name)) throw new Error(`${name} is there twice`);
      if (rest !== 'counter' && rest !== 'gauge' && rest !== 'histogram') throw new Error(`not a type: ${line}`);
      current = { name, type: rest, help: help.text, samples: [] };
      families.set(name, current);
    } else {
      if (line.startsWith('#') || !current) throw new Error(`this stands before all metrics: ${line}`);
      current.samples.push(readSample(line));
    }
  }
  for (const family of families.values()) check(family);
  return families;
}

/** The value of one series: the one whose labels have these values, and no others. Fails if there is none. */
export function sampleOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  const found = families.get(name)?.samples.find((one) => JSON.stringify(Object.entries(one.labels).sort()) === wanted);
  if (!found) throw new Error(`there is no ${name} ${wanted}`);
  return found.value;
}
