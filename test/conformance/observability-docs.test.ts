/** docs/observability.md says what is so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { METRICS } from '../../src/observability/metrics/all.js';
import { withTables } from '../../src/observability/page.js';
import { HAPPENINGS } from '../../src/sfu/attendance.js';
import { signedHeaders } from '../../src/webhooks/signature.js';
import { examplesOf } from '../support/examples.js';
import { projectRoot } from '../support/project.js';

const FILE = 'docs/observability.md';
const page = readFileSync(path.join(projectRoot, FILE), 'utf8');

const SECRET = 'of both';
const BODY = '{"type":"join","data":{"room_id":"lobby — ✓"}}';
const now = Date.now() / 1000;
const genuine = signedHeaders(Buffer.from(SECRET), 'event-1', now, BODY);
const old = signedHeaders(Buffer.from(SECRET), 'event-1', now - 3600, BODY);
/** What a receiver may get, and whether it should believe it. */
const deliveries = [
  { headers: genuine, body: BODY, secret: SECRET, wanted: true },
  { headers: genuine, body: `${BODY} `, secret: SECRET, wanted: false },
  { headers: genuine, body: BODY, secret: 'of another', wanted: false },
  { headers: { ...genuine, 'webhook-id': 'event-2' }, body: BODY, secret: SECRET, wanted: false },
  { headers: { ...genuine, 'webhook-signature': 'v1,' }, body: BODY, secret: SECRET, wanted: false },
  { headers: old, body: BODY, secret: SECRET, wanted: false },
];

describe('docs/observability.md', () => {
  test('has the tables of the metrics as they are defined: npm run docs writes them', () => {
    assert.equal(page, withTables(page));
  });

  test('names only metrics that there are', () => {
    const names = METRICS.map(({ name }) => name);
    for (const [name] of page.matchAll(/janus_sfu_\w+/g)) assert.ok(names.includes(name), name);
  });

  test('has a row for each event of webhooks', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| `room_id`/gm)].map(([, type]) => type);
    assert.deepEqual(rows.sort(), [...HAPPENINGS].sort());
  });

  test('names lines of the log that the server writes', () => {
    const sources = readdirSync(path.join(projectRoot, 'src'), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(path.join(projectRoot, 'src', name), 'utf8'))
      .join('\n');
    const table = page.slice(page.indexOf('| `msg` |'));
    const lines = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
    assert.ok(lines.length > 20);
    for (const [, text = ''] of lines.slice(1)) {
      const written = text.replace(/ …$/, '').replace(/^(un)?blocked$/, '$' + '{verb}ed');
      assert.ok(sources.includes(`'${written}`) || sources.includes(`\`${written}`), text);
    }
  });

  test('shows how to check a signature in Node', async () => {
    const [example = ''] = examplesOf(FILE);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-docs-'));
    try {
      const file = path.join(folder, 'example.mjs');
      writeFileSync(file, example);
      const { isGenuine } = await import(pathToFileURL(file).href);
      for (const { headers, body, secret, wanted } of deliveries) {
        assert.equal(isGenuine(headers, body, secret), wanted);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  const why = 'no python3 found: install Debian’s package python3';
  test('shows how to check a signature in Python', { skip: python || process.env.CI ? false : why }, () => {
    const [, example = ''] = /^```python\n(.+?)^```$/ms.exec(page) ?? [];
    const ask =
      'import json, sys\nprint(json.dumps([is_genuine(d["headers"], d["body"], d["secret"]) for d in json.load(sys.stdin)]))';
    const run = spawnSync('python3', ['-c', `${example}\n${ask}`], {
      input: JSON.stringify(deliveries),
      encoding: 'utf8',
    });
    assert.deepEqual(
      JSON.parse(run.stdout || 'null'),
      deliveries.map(({ wanted }) => wanted),
      run.stderr,
    );
  });
});
