import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot } from '../support/project.js';

const sources = ['assembly', 'src', 'workers', 'web'].flatMap((folder) =>
  readdirSync(path.join(projectRoot, folder), { recursive: true })
    .map((name) => path.posix.join(folder, String(name)))
    .filter((name) => name.endsWith('.ts')),
);

interface Import {
  from: string;
  to: string;
  /** Erased by the compiler: nothing is loaded. */
  typeOnly: boolean;
}

const imports: Import[] = sources.flatMap((from) => {
  const text = readFileSync(path.join(projectRoot, from), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)].map((match) => {
    const target = match[2] ?? '';
    const to = target.startsWith('.') ? path.posix.join(path.posix.dirname(from), target).replace(/\.js$/, '') : target;
    return { from, to, typeOnly: match[1] !== undefined };
  });
});

const layers = [
  'assembly',
  'workers',
  'src/sdp',
  'src/shards',
  'src/sfu',
  'src/janus',
  'src/config',
  'src/server',
  'src/cli',
  'src/main',
];
const layerOf = (file: string) =>
  layers.findIndex((layer) => file === layer || file.startsWith(`${layer}/`) || file.startsWith(`${layer}.`));
/** What of workers the main thread may load: the plain protocol and the views of shared memory. */
const shared = ['protocol', 'control', 'counters', 'memory', 'ring', 'shard'].map((name) => `workers/${name}`);

describe('the structure', () => {
  test('has imports that point one way only', () => {
    const wrong = imports.filter(({ from, to }) => layerOf(from) >= 0 && layerOf(to) > layerOf(from));
    assert.deepEqual(wrong, []);
  });

  test('lets src take nothing of the workers but the protocol and shared memory, and workers nothing of src', () => {
    const fromSrc = imports.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('workers/'));
    assert.ok(fromSrc.length > 0);
    assert.deepEqual(
      fromSrc.filter(
        ({ from, to, typeOnly }) =>
          !shared.includes(to) ||
          (to !== 'workers/protocol' && !from.startsWith('src/shards/')) ||
          (to === 'workers/shard' && !typeOnly),
      ),
      [],
    );
    assert.deepEqual(
      imports.filter(({ from, to }) => from.startsWith('workers/') && to.startsWith('src/')),
      [],
    );
  });

  test('lets the client take nothing but types of the wire, so that browsers can load it as it is', () => {
    const fromClient = imports.filter(
      ({ from, to }) => from.startsWith('src/client/') && !to.startsWith('src/client/'),
    );
    assert.deepEqual([...new Set(fromClient.map(({ to }) => to))].sort(), ['src/janus/wire', 'src/sfu/wire']);
    assert.ok(fromClient.every(({ typeOnly }) => typeOnly));
    const intoClient = imports.filter(
      ({ from, to }) => to.startsWith('src/client/') && !from.startsWith('src/client/'),
    );
    assert.deepEqual([...new Set(intoClient.map(({ from }) => from.split('/')[0]))], ['web']);
  });

  test('lets workers take nothing of the engine’s sources but its layout', () => {
    const taken = new Set(
      imports.filter(({ from, to }) => !from.startsWith('assembly/') && to.startsWith('assembly/')).map(({ to }) => to),
    );
    assert.deepEqual([...taken], ['assembly/layout']);
  });

  test('imports each dependency in exactly one file', () => {
    const users = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      if (to.startsWith('node:') || layerOf(to) >= 0 || /^(src|workers|assembly|web|bench)\//.test(to)) continue;
      users.set(to, (users.get(to) ?? new Set()).add(from));
    }
    assert.ok(users.has('piscina') && users.has('ws'));
    // zod describes two different things: the configuration and the plugin's messages.
    users.delete('zod');
    assert.deepEqual(
      [...users].filter(([, files]) => files.size > 1).map(([name, files]) => [name, [...files]]),
      [],
    );
  });

  test('keeps source files at a length that one can read', () => {
    const long = sources
      .map((file) => ({ file, lines: readFileSync(path.join(projectRoot, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 400);
    assert.deepEqual(long, []);
  });
});
