import { flagOf, variables } from './schema.js';

/** One value as somebody wrote it. */
export interface Given {
  value: string;
  /** What stands before the value where it was written, to point at it: `WS_PORT=`, `--ws-port `, `.env: WS_PORT=`. */
  said: string;
}

/** One place that settings come from. An empty value there counts as not set. */
export interface Source {
  /** For people: `flag`, `environment`, a file's name. */
  name: string;
  /** By variable, other names of a setting included. */
  values: ReadonlyMap<string, Given>;
}

/** The settings among environment variables; what else is there belongs to others. */
export function environmentSource(env: Readonly<Record<string, string | undefined>>): Source {
  const found = variables().flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, { value, said: `${name}=` }] as const];
  });
  return { name: 'environment', values: new Map(found) };
}

/** @param flags by variable */
export function flagSource(flags: ReadonlyMap<string, string>): Source {
  const values = [...flags].map(([name, value]) => [name, { value, said: `${flagOf(name)} ` }] as const);
  return { name: 'flag', values: new Map(values) };
}
