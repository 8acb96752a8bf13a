import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/**
 * Opens a table of its own in `folder`, making both if needed: keys are bytes, values whatever JSON can say.
 *
 * @param name of the table; its file is `<name>.lmdb`
 * @throws Error of LMDB or of the file system
 */
export function openTable<Value>(folder: string, name: string): RootDatabase<Value, Buffer> {
  mkdirSync(folder, { recursive: true });
  return open<Value, Buffer>({ path: path.join(folder, `${name}.lmdb`), keyEncoding: 'binary', encoding: 'json' });
}
