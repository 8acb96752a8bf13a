/**
 * Run as a process of its own, before the server opens its tables: opens each of them and reads what is in it. A file that is cut
 * or damaged can take the process down that maps it, which then is this one.
 *
 * Arguments: a folder, then the names of tables. Exit code 0: all can be read; else which one can't be is the last line of its
 * output, as `<name>` alone.
 */
import { writeSync } from 'node:fs';
import { openTable } from './lmdb-table.js';

/** Milliseconds for a table: a start must not wait for millions of entries, and the tree's upper pages are seen by then. */
const READING_LIMIT = 1000;

const [folder = '', ...names] = process.argv.slice(2);
for (const name of names) {
  // At once: there may be no later.
  writeSync(1, `${name}\n`);
  const table = openTable<unknown>(folder, name);
  const end = performance.now() + READING_LIMIT;
  let entries = 0;
  for (const { value } of table.getRange({})) {
    if (value === undefined) throw new Error('an entry has no value');
    entries += 1;
    if (entries % 256 === 0 && performance.now() > end) break;
  }
  await table.close();
}
