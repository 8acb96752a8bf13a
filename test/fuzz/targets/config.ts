/** Settings as people mistype them, in every place that they may be written. */
import assert from 'node:assert/strict';
import { readConfigFile, readEnvFile } from '../../../src/config/files.js';
import { JANUS_PLUGIN_FILE, readJanusPluginFile } from '../../../src/config/janus-files.js';
import { readSettings } from '../../../src/config/read.js';
import { SETTINGS, variables } from '../../../src/config/schema.js';
import type { Setting } from '../../../src/config/setting.js';
import { environmentSource } from '../../../src/config/source.js';
import type { Random } from '../../support/random.js';
import { defineTarget, jsonLines } from './target.js';

const PLACES = ['env', '.env', 'janus-sfu.json', 'janus-sfu.ini', JANUS_PLUGIN_FILE] as const;
interface Part {
  place: (typeof PLACES)[number];
  text: string;
}

/** What secrets look like here: it must not come back in any message. */
const SECRET = 'SeCrEt-4711';
const SECRETS = Object.entries<Setting>(SETTINGS).flatMap(([name, { secret }]) => (secret ? [name] : []));
const MACHINE = { cores: 2, interfaces: new Map([['lo', ['127.0.0.1']]]) };
const VALUES = [
  ...['', '0', '1', '-1', '65536', '1e999', 'NaN', '0x10', ' 7', '7 ', 'true', 'TRUE', 'yes', 'null', '[]', '{}'],
  ...[
    '127.0.0.1',
    '::1',
    '999.1.1.1',
    '10.0.0.0/8',
    '/33',
    'a,b',
    ',,,',
    'h264',
    'stun:x',
    'turn:',
    'ws://',
    'wss://h',
  ],
  ...['__proto__', 'constructor', '%s%n', '\0', '\ud800', '"', "'", 'a\nb', '#', ';', '=', 'x'.repeat(5000)],
  ...['9007199254740993', '0.1', '٣', '5s', '/nowhere', SECRET],
];
const JUNK = ['{', '}', '[x]', '[', ']', '=', ':', '#', '"', ',', '\\u', '\uFEFF', '__proto__', '//', 'null'];

function entry(random: Random, place: Part['place']): string {
  const name = random.once(15) ? random.pick([...JUNK, 'WS_PROT', 'toString']) : random.pick(variables());
  const value = SECRETS.includes(name) && random.once(2) ? SECRET : random.pick(VALUES);
  if (place === 'env') return JSON.stringify([name, value]);
  const key = random.once(3) ? name.toLowerCase().replaceAll('_', '-') : name;
  const text = place === 'janus-sfu.json' ? `${JSON.stringify(key)}: ${JSON.stringify(value)}` : `${key}=${value}`;
  if (!random.once(6)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(JUNK) + text.slice(at + random.below(3));
}

function sourceOf({ place, text }: Part) {
  if (place === 'env') {
    const pairs = JSON.parse(text) as [string, string][];
    return { source: environmentSource(Object.fromEntries(pairs)), problems: [] as string[] };
  }
  if (place === '.env') return readEnvFile(place, text);
  return place === JANUS_PLUGIN_FILE ? readJanusPluginFile(text) : readConfigFile(place, text);
}

export const configTarget = defineTarget<Part>({
  ...jsonLines<Part>(),
  name: 'config',
  unit: 'messages',
  promise:
    'Settings of any text are read to values of their kinds, or each wrong one is named in a line; nothing is thrown, and no line quotes a secret.',
  make: (random) =>
    Array.from({ length: 1 + random.below(3) }, () => {
      const place = random.pick(PLACES);
      const entries = Array.from({ length: random.below(6) }, () => entry(random, place));
      if (place === 'env') return { place, text: `[${entries.join()}]` };
      if (place === 'janus-sfu.json') return { place, text: random.once(9) ? entries.join() : `{${entries.join()}}` };
      const section = random.once(2) ? ['[general]'] : [];
      return { place, text: [...section, ...entries].join(random.once(9) ? '\r\n' : '\n') };
    }),
  run(parts) {
    const read = parts.map(sourceOf);
    const result = readSettings(
      read.map(({ source }) => source),
      MACHINE,
    );
    const problems = [...read.flatMap((one) => one.problems), ...(result.ok ? [] : result.problems)];
    for (const problem of problems) assert.ok(problem.length > 0 && problem.length < 12_000, problem);
    if (!result.ok) assert.ok(result.problems.length > 0);
    else for (const [name, value] of Object.entries(result.config)) assert.ok(name in SETTINGS && value !== null, name);
    const secrets = result.values.filter(({ name, value }) => SECRETS.includes(name) && value === SECRET);
    const elsewhere = result.values.some(({ name, value }) => !SECRETS.includes(name) && value?.includes(SECRET));
    if (secrets.length > 0 && !elsewhere) assert.ok(!problems.join('\n').includes(SECRET), problems.join('\n'));
    return 1;
  },
});
