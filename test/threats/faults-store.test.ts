/** The store of blocks (threats.md F8, F9): what was acknowledged is there, whatever becomes of the process, the disk and the file. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type BlockStore, MemoryBlockStore, openLmdbBlockStore } from '../../src/sfu/block-store.js';
import { BufferedBlockStore } from '../../src/sfu/buffered-block-store.js';
import { BLOCKER, type WriterNews } from '../support/block-writer.js';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { Random } from '../support/random.js';
import { startServer } from '../support/server.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-store-'));
after(() => rmSync(root, { recursive: true, force: true }));

const WRITER = fileURLToPath(new URL('../support/block-writer.js', import.meta.url));
const KILLS = 50;

/** @param limit of file sizes, in the shell's blocks of 512 or 1024 bytes */
function startWriter(folder: string, round: number, limit?: number): ChildProcess {
  const shell = limit === undefined ? 'exec "$0" "$@"' : `ulimit -f ${limit}; exec "$0" "$@"`;
  return spawn('sh', ['-c', shell, process.execPath, WRITER, folder, String(round)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

test(`F8: a process that is killed ${KILLS} times while it writes loses no block that was acknowledged`, {
  timeout: 60_000,
}, async () => {
  const folder = path.join(root, 'killed');
  const random = new Random(8);
  const saved: string[] = [];
  let next = startWriter(folder, 0);
  for (let round = 1; round <= KILLS; round += 1) {
    const writer = next;
    const exited = once(writer, 'exit');
    let acknowledged = 0;
    const enough = 1 + random.below(20);
    writer.on('message', (news: WriterNews) => {
      if (!('saved' in news)) return;
      saved.push(news.saved);
      acknowledged += 1;
      if (acknowledged === enough) writer.kill('SIGKILL');
    });
    writer.send('open');
    // It loads meanwhile, and opens the store when this one is dead.
    next = startWriter(folder, round);
    const [code, signal] = await exited;
    assert.equal(signal, 'SIGKILL', `round ${round} ended with ${code}`);
  }
  next.kill('SIGKILL');
  const store = openLmdbBlockStore(folder);
  const there = new Set(store.blockedBy(BLOCKER));
  await store.close();
  assert.ok(saved.length >= KILLS);
  assert.deepEqual(
    saved.filter((one) => !there.has(one)),
    [],
  );
});

async function filledStore(name: string): Promise<string> {
  const folder = path.join(root, name);
  const store = openLmdbBlockStore(folder);
  await Promise.all(Array.from({ length: 400 }, (_, index) => store.put(`user ${index % 20}`, `other ${index}`)));
  await store.close();
  return folder;
}

describe('a store', () => {
  test('F9: on a disk that is full refuses a block once, which counts all the same; the process and what was saved live on', async () => {
    const folder = path.join(root, 'full');
    const writer = startWriter(folder, 1, 100);
    const saved: string[] = [];
    const refusal = new Promise<Extract<WriterNews, { refused: string }>>((resolve) => {
      writer.on('message', (news: WriterNews) => {
        if ('saved' in news) saved.push(news.saved);
        else resolve(news);
      });
    });
    const exited = once(writer, 'exit');
    writer.send('open');
    const { counts, reason } = await refusal;
    assert.ok(counts, reason);
    writer.disconnect();
    assert.deepEqual(await exited, [0, null]);
    const store = openLmdbBlockStore(folder);
    assert.deepEqual(store.blockedBy(BLOCKER).sort(), saved.sort());
    await store.close();
  });

  test('F9: whose disk has room again saves what waited, and says both once', async () => {
    const disk = new MemoryBlockStore();
    let full = true;
    const failing: BlockStore = {
      blockedBy: (blocker) => disk.blockedBy(blocker),
      put: async (blocker, blocked) => {
        if (full) throw new Error('no space left on device');
        await disk.put(blocker, blocked);
      },
      remove: async (blocker, blocked) => {
        if (full) throw new Error('no space left on device');
        await disk.remove(blocker, blocked);
      },
      close: async () => {},
    };
    await disk.put('ann', 'before');
    const said: string[] = [];
    const store = new BufferedBlockStore(failing, (_level, message) => said.push(message));
    for (const whom of ['bob', 'carol', 'dave']) await assert.rejects(store.put('ann', whom), /no space/);
    await assert.rejects(store.remove('ann', 'before'), /no space/);
    await assert.rejects(store.remove('ann', 'dave'), /no space/);
    assert.deepEqual(store.blockedBy('ann'), ['bob', 'carol']);
    assert.deepEqual(disk.blockedBy('ann'), ['before']);
    assert.equal(store.unsaved, 4);
    full = false;
    await store.close();
    assert.deepEqual(disk.blockedBy('ann').sort(), ['bob', 'carol']);
    assert.equal(store.unsaved, 0);
    assert.deepEqual(said, ['blocks can not be saved', 'all blocks are saved again']);
  });

  test('F9: in a folder that can not be written is in memory, with one error and degraded health', async () => {
    const file = path.join(root, 'a-file');
    writeFileSync(file, '');
    const server = await startServer({ env: { BLOCK_STORE: 'lmdb', DATA_DIR: path.join(file, 'below') } });
    try {
      assert.equal(server.output().match(/ error /g)?.length, 1, server.output());
      assert.match(server.output(), /a store can not be opened store="blocks".*make DATA_DIR writable/);
      assert.deepEqual(await (await fetch(`${server.httpUrl}/readyz`)).json(), {
        status: 'degraded',
        reasons: ['blocks are kept in memory alone'],
      });
      const client = await JanusClient.connect(server.wsUrl);
      const handle = await client.join('r', 'ann', { data: true });
      assert.equal(refusalOf(await client.message(handle, { kind: 'block', whom: 'bob' })), null);
    } finally {
      assert.equal(await server.stop(), 0);
    }
  });

  const damages: [name: string, damage: (bytes: Buffer) => Buffer][] = [
    ['cut in the middle', (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ['cut after its head', (bytes) => bytes.subarray(0, 100)],
    ['overwritten with zeroes', (bytes) => Buffer.alloc(bytes.length)],
    [
      'with bytes that flipped',
      (bytes) => {
        for (let at = 8192; at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
        return bytes;
      },
    ],
  ];
  for (const [name, damage] of damages) {
    test(`F9: ${name} is kept as a copy and begun anew: one error, degraded health, and blocks are saved`, async () => {
      const folder = await filledStore(name);
      const file = path.join(folder, 'blocks.lmdb');
      const damaged = damage(readFileSync(file));
      writeFileSync(file, damaged);
      const server = await startServer({ env: { BLOCK_STORE: 'lmdb', DATA_DIR: folder } });
      try {
        assert.equal(server.output().match(/ error /g)?.length, 1, server.output());
        assert.match(server.output(), /a store can not be read store="blocks" reason="it is damaged; it was kept as/);
        const copy = readdirSync(folder).find((one) => one.startsWith('blocks.lmdb.damaged-')) ?? '';
        assert.deepEqual(readFileSync(path.join(folder, copy)), damaged);
        const health = await fetch(`${server.httpUrl}/readyz`);
        assert.equal(health.status, 200, 'it is served');
        assert.equal(((await health.json()) as { status: string }).status, 'degraded');
        assert.match(await (await fetch(`${server.httpUrl}/metrics`)).text(), /^janus_sfu_block_store_degraded 1$/m);
        const client = await JanusClient.connect(server.wsUrl);
        const handle = await client.join('r', 'ann', { data: true });
        assert.equal(refusalOf(await client.message(handle, { kind: 'block', whom: 'bob' })), null);
      } finally {
        assert.equal(await server.stop(), 0, server.output());
      }
      const store = openLmdbBlockStore(folder);
      assert.deepEqual(store.blockedBy('ann'), ['bob']);
      await store.close();
    });
  }
});
