// What the scripts that find or fetch a tool for the tests have in common. Only Node's own modules may be imported here.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
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

const run = (command, args, cwd) =>
  spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

/**
 * Downloads a package of Debian and takes one program out of it, without installing it: it would start a server.
 *
 * @param inside the program's path in the package
 * @param target where it is put
 * @returns whether it is there now
 */
export function takeFromPackage(name, inside, target) {
  const folder = path.dirname(target);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(path.join(folder, 'package-'));
  try {
    const download = () => run('apt-get', ['-q', 'download', name], work);
    // Lists may be missing or old; to fetch them one must be root.
    if (!download() && !(run('apt-get', ['-q', 'update'], work) && download())) return false;
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (!archive || !run('dpkg-deb', ['-x', archive, 'unpacked'], work)) return false;
    renameSync(path.join(work, 'unpacked', inside), target);
    return executable(target);
  } catch (error) {
    console.log(`janus-sfu: ${path.basename(inside)} could not be taken out of Debian's package: ${error.message}`);
    return false;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
