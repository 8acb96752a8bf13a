import { readFileSync } from 'node:fs';
import type { SettingName } from './schema.js';

/**
 * Reads a file that a setting names.
 *
 * @throws Error whose message names the setting, the file and the cause
 */
export function readSettingFile(name: SettingName, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${name}=${JSON.stringify(file)}: the file can not be read (${cause})`);
  }
}
