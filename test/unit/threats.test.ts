import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { SETTINGS } from '../../src/config/schema.js';
import { PREFIX } from '../../src/observability/metric.js';
import { METRICS } from '../../src/observability/metrics/all.js';
import { projectRoot } from '../support/project.js';
import { bounds, namesOfTests, rows, rowsOf, withBounds } from '../support/threats.js';

const names = [...namesOfTests().values()].flat();
const tested = new Set(names.flatMap(rowsOf));
const page = readFileSync(path.join(projectRoot, 'docs/reliability.md'), 'utf8');

describe('the threats', () => {
  test('have a test each, named by its row, and no test is named by a row that there is not', () => {
    const known = Object.keys(rows());
    assert.equal(known.length, 71);
    assert.deepEqual(
      [...tested].filter((row) => !known.includes(row)),
      [],
    );
    assert.deepEqual(
      known.filter((row) => !tested.has(row)),
      [],
    );
  });

  test('that the reference is open to, its holes a to o, have a test each', () => {
    const holes = names.flatMap((name) => /\(holes? ([a-o](?:, [a-o])*)\)/.exec(name)?.[1]?.split(', ') ?? []);
    assert.deepEqual([...new Set(holes)].sort(), [...'abcdefghijklmno']);
  });

  test('are all in docs/reliability.md: npm run test:threats writes it', () => {
    for (const [row, about] of Object.entries(rows())) assert.ok(page.includes(`| ${row} | ${about} | `), row);
  });
});

describe('the bounds', () => {
  test('are settings that exist, with a counter in the metrics, and are tested by a row', () => {
    for (const { bound, settings, metric, reason, test: row } of bounds().bounds) {
      for (const name of settings) assert.ok(Object.hasOwn(SETTINGS, name), `${bound}: ${name}`);
      const counter = METRICS.find(({ name }) => name === PREFIX + metric);
      assert.ok(counter, `${bound}: ${metric}`);
      if (reason !== undefined) assert.ok(counter.help.includes(`\`${reason}\``), `${bound}: ${metric} ${reason}`);
      if (row !== null) assert.ok(tested.has(row), `${bound}: ${row}`);
    }
  });

  test('are complete: every setting that sounds like one is among them, or why not is said', () => {
    const { bounds: listed, others } = bounds();
    const known = [...listed.flatMap(({ settings }) => settings), ...Object.keys(others)];
    const like = Object.keys(SETTINGS).filter((name) => /(^|_)(MAX|RATE|BURST|PER|TIMEOUT)(_|$)/.test(name));
    assert.ok(like.length > 35);
    assert.deepEqual(
      like.filter((name) => !known.includes(name)),
      [],
    );
    assert.deepEqual(
      Object.keys(others).filter((name) => !Object.hasOwn(SETTINGS, name)),
      [],
    );
  });

  test('are in docs/reliability.md with their defaults: npm run docs writes it', () => {
    assert.equal(page, withBounds(page));
  });
});
