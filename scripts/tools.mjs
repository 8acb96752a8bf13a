// What the scripts that find or fetch a tool for the tests have in common. Only Node's own modules may be imported here.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

export const inCi = () => process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';

export function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The path of a tool, or null: the first of `names` on the PATH, or else of the files `elsewhere`.
 *
 * @param variable of the environment; what it names wins, and must exist if set
 */
export function findTool(variable, names, elsewhere) {
  const wanted = process.env[variable];
  if (wanted) {
    if (executable(wanted)) return wanted;
    throw new Error(`${variable}=${wanted} is not an executable file.`);
  }
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  const candidates = [...folders.flatMap((folder) => names.map((name) => path.join(folder, name))), ...elsewhere];
  return candidates.find(executable) ?? null;
}
