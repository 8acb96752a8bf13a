import path from 'node:path';
import { type ReadFile, readConfigFile, readEnvFile, readText } from './files.js';
import { JANUS_PLUGIN_FILE, readJanusPluginFile } from './janus-files.js';
import { environmentSource, flagSource, type Source } from './source.js';

/** Where to look for files with settings: each has a flag and a variable. */
export const LOCATIONS = {
  CONFIG_FILE: 'the configuration file; unset = `janus-sfu.json`, else `janus-sfu.ini`, in the current folder',
  ENV_FILE: 'a file with environment variables; unset = `.env` in the current folder',
  JANUS_FOLDER: `the folder with Janus’ own \`${JANUS_PLUGIN_FILE}\`; unset = the current folder`,
} as const;

export type Location = keyof typeof LOCATIONS;

const CONFIG_FILES = ['janus-sfu.json', 'janus-sfu.ini'];

export interface Places {
  /** By variable. */
  flags: ReadonlyMap<string, string>;
  locations: ReadonlyMap<Location, string>;
  env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  folder: string;
}

export interface Sources {
  /** The first one that has a value for a setting decides it. */
  sources: Source[];
  problems: string[];
  notes: string[];
}

/** Reads every place that settings come from: flags, environment, `.env`, configuration file, Janus' file, in this order. */
export function collectSources({ flags, locations, env, folder }: Places): Sources {
  const problems: string[] = [];
  const notes: string[] = [];
  const sources = [flagSource(flags), environmentSource(env)];
  const located = (name: Location) => locations.get(name) || env[name] || undefined;
  const take = (candidates: string[], needed: boolean, read: (file: string, text: string) => ReadFile) => {
    for (const candidate of candidates) {
      const { text, problem } = readText(path.resolve(folder, candidate));
      if (problem !== undefined) {
        problems.push(problem);
        return;
      }
      if (text === null) continue;
      const file = read(candidate, text);
      sources.push(file.source);
      problems.push(...file.problems);
      notes.push(...file.notes);
      return;
    }
    if (needed) problems.push(`${candidates.join(', ')}: there is no such file`);
  };
  const envFile = located('ENV_FILE');
  take([envFile ?? '.env'], envFile !== undefined, (file, text) => readEnvFile(path.basename(file), text));
  const configFile = located('CONFIG_FILE');
  take(configFile ? [configFile] : CONFIG_FILES, configFile !== undefined, readConfigFile);
  const janusFolder = located('JANUS_FOLDER');
  take([path.join(janusFolder ?? '', JANUS_PLUGIN_FILE)], janusFolder !== undefined, (_, text) =>
    readJanusPluginFile(text),
  );
  return { sources, problems, notes };
}
