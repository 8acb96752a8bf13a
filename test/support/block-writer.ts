/**
 * Writes blocks into a real store until it is killed, and says which are acknowledged. Started as a program:
 * `block-writer.js FOLDER ROUND`; it opens the store when its parent says so.
 */
import { once } from 'node:events';
import { openLmdbBlockStore } from '../../src/sfu/block-store.js';
import { BufferedBlockStore } from '../../src/sfu/buffered-block-store.js';

/** What was acknowledged, or that the disk refused one, and whether it counts all the same. */
export type WriterNews = { saved: string } | { refused: string; reason: string; counts: boolean };

export const BLOCKER = 'the blocker';

if (process.send) {
  const [folder = '', round = ''] = process.argv.slice(2);
  await once(process, 'message');
  const logged: string[] = [];
  const store = new BufferedBlockStore(openLmdbBlockStore(folder), (_level, message) => logged.push(message));
  for (let index = 0; ; index += 1) {
    // Long, so that the file grows.
    const blocked = `${round}-${index}-${'x'.repeat(200)}`;
    try {
      await store.put(BLOCKER, blocked);
      process.send({ saved: blocked } satisfies WriterNews);
    } catch (error) {
      const counts = store.blockedBy(BLOCKER).includes(blocked) && logged.join() === 'blocks can not be saved';
      process.send({ refused: blocked, reason: String(error), counts } satisfies WriterNews);
      break;
    }
  }
  await once(process, 'disconnect');
  process.exit(0);
}
