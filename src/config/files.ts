import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { parseIni } from './ini.js';
import { suggestion } from './nearest.js';
import { variables } from './schema.js';
import type { Given, Source } from './source.js';

/** What a file says, and what is wrong with it, a line for each. */
export interface ReadFile {
  source: Source;
  problems: string[];
  /** What to tell, but not to fail for. */
  notes: string[];
}

/** The text of a file, null if there is none; what else may be wrong is a problem. */
export function readText(file: string): { text: string | null; problem?: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { text: null, ...(code === 'ENOENT' ? {} : { problem: `${file}: the file can not be read (${code})` }) };
  }
}

/** `ws-port`, `ws_port`, `wsPort` and `WS_PORT` are the same. */
function variableOf(key: string): string {
  return key
    .replaceAll('-', '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();
}

/** A JSON value as a variable would say it; null = not set; undefined = it can't be one. */
function asText(value: unknown): string | null | undefined {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number')) {
    return value.join(',');
  }
  return undefined;
}

/** Reads `.env`: variables that are no settings are somebody else's. */
export function readEnvFile(name: string, text: string): ReadFile {
  const all = new Map(Object.entries(parseEnv(text)));
  const values = variables().flatMap((variable) => {
    const value = all.get(variable);
    return value === undefined ? [] : [[variable, { value, said: `${name}: ${variable}=` }] as const];
  });
  return { source: { name, values: new Map(values) }, problems: [], notes: [] };
}

/**
 * Reads the configuration file: JSON (one object) or INI (sections are only headings), by the file's ending.
 *
 * @param file its path, for messages by its name
 */
export function readConfigFile(file: string, text: string): ReadFile {
  const name = path.basename(file);
  const read = path.extname(file).toLowerCase() === '.json' ? jsonPairs(text) : iniPairs(text);
  const known = variables();
  const values = new Map<string, Given>();
  const problems = read.problems.map((problem) => `${name}: ${problem}`);
  for (const { key, value } of read.pairs) {
    const variable = variableOf(key);
    if (known.includes(variable)) values.set(variable, { value, said: `${name}: ${key}=` });
    else problems.push(`${name}: there is no setting ${JSON.stringify(key)}${suggestion(variable, known)}`);
  }
  return { source: { name, values }, problems, notes: [] };
}

interface Pairs {
  pairs: { key: string; value: string }[];
  problems: string[];
}

function iniPairs(text: string): Pairs {
  const { entries, problems } = parseIni(text);
  return { pairs: entries, problems };
}

/** Where the parser stumbled, as far as it says so. Not its own words: they may quote what stands there, a secret. */
function lineOfFault(text: string, error: unknown): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : ` from line ${text.slice(0, Number(position)).split('\n').length} on`;
}

function jsonPairs(text: string): Pairs {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { pairs: [], problems: [`it is no JSON${lineOfFault(text, error)}`] };
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return { pairs: [], problems: ['it should be one JSON object, with a member for each setting'] };
  }
  const pairs: Pairs = { pairs: [], problems: [] };
  for (const [key, value] of Object.entries(document)) {
    const said = asText(value);
    if (said === undefined) pairs.problems.push(`${key}: should be text, a number, true, false or a list of these`);
    else if (said !== null) pairs.pairs.push({ key, value: said });
  }
  return pairs;
}
