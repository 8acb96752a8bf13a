/**
 * Run as a process of its own by `janus-sfu check`: loads the native addon as a shard would, and ends. An addon that takes
 * the process down, as one for another C library may, then takes this one.
 *
 * Arguments: the folders of ADDON_FOLDERS.
 */
import { loadNative } from './native.js';

try {
  loadNative(process.argv.slice(2)).cleanup();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
