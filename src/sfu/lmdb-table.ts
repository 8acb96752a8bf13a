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
  return open<Value, Buffer>({
    path: path.join(folder, `${name}.lmdb`),
    keyEncoding: 'binary',
    encoding: 'json',
    // With it, a commit that fails (the disk is full) rejects a promise of lmdb's own too, that nobody handles: it would end the
    // process. Writes of one turn share a commit all the same.
    eventTurnBatching: false,
  });
}

/**
 * Writes, and resolves when it is on disk: a crash after that does not lose it.
 *
 * @throws Error of LMDB or of the file system; nothing was written then
 */
export async function commit(table: RootDatabase<unknown, Buffer>, write: Promise<boolean>): Promise<void> {
  try {
    await write;
    await table.flushed;
  } catch (error) {
    throw await reasonOf(error);
  }
}

/** lmdb says why a commit failed in another promise, that rejects right then; unhandled, it would end the process too. */
function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return Promise.resolve(error);
  return Promise.race([
    Promise.resolve(error.commitError).then(
      () => error,
      (reason: unknown) => reason,
    ),
    new Promise((resolve) => setImmediate(resolve, error)),
  ]);
}
