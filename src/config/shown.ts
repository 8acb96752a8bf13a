import { masked } from './masks.js';
import type { SettingValue } from './read.js';
import { SETTINGS } from './schema.js';
import type { Setting } from './setting.js';

/** A setting's default as tables show it. */
export function shownDefault({ shown, fallback }: Pick<Setting, 'shown' | 'fallback'>): string {
  return shown ?? fallback ?? '';
}

/** The table of `--print-config`: each setting's value, and where it came from; secrets masked. */
export function configTable(values: readonly SettingValue[]): string {
  const rows = values.map(({ name, value, origin, variable }) => {
    const text = value === null || value === '' ? '' : masked(SETTINGS[name], value);
    return { left: `${name}=${text}`, right: variable === name ? origin : `${origin}, as ${variable}` };
  });
  const width = Math.min(60, Math.max(...rows.map(({ left }) => left.length)));
  return rows.map(({ left, right }) => `${left.padEnd(width)}  # ${right}\n`).join('');
}
