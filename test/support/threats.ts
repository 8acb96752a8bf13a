/** The threats that the tests are named by (test/threats/rows.json), the bounds (bounds.json), and docs/reliability.md. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS } from '../../src/config/schema.js';
import type { Setting } from '../../src/config/setting.js';
import { projectRoot } from './project.js';

/** A bound on what clients may use: how it is set, what counts those who go beyond, and the row that tests it. */
export interface Bound {
  bound: string;
  settings: string[];
  /** Without our prefix. */
  metric: string;
  /** Of the metric's label `reason` or `outcome`. */
  reason?: string;
  test: string | null;
}

/** What came of a test that is named by rows. */
export interface RowResult {
  /** From the project's folder, without the ending. */
  file: string;
  name: string;
  passed: boolean;
  seconds: number;
}

const readJson = (name: string) => JSON.parse(readFileSync(path.join(projectRoot, 'test/threats', name), 'utf8'));

/** What each row is about. */
export const rows = (): Record<string, string> => readJson('rows.json');

/** The bounds, and settings that look like some but are none, with the reason. */
export const bounds = (): { bounds: Bound[]; others: Record<string, string> } => readJson('bounds.json');

/** The rows that a test's name begins with: `S2, S3: …`. */
export function rowsOf(name: string): string[] {
  return /^[A-Z]\d+(?:, [A-Z]\d+)*(?=: )/.exec(name)?.[0].split(', ') ?? [];
}

/** The texts in the built tests that could be names of tests, by file. */
export function namesOfTests(): Map<string, string[]> {
  const folder = path.join(projectRoot, 'dist/test');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js'));
  return new Map(
    files.sort().map((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      return [
        path.posix.join('dist/test', file),
        [...text.matchAll(/(['"`])(.*?[^\\])\1/g)].map((match) => match[2] ?? ''),
      ];
    }),
  );
}

const ROWS_BEGIN = '<!-- Made by `npm run test:threats`. -->\n';
const BOUNDS_BEGIN = '<!-- Made from test/threats/bounds.json by `npm run docs`. -->\n';
const END = '<!-- End of what is made. -->\n';

function between(page: string, begin: string, text: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`the page has no ${begin}`);
  return page.slice(0, from + begin.length) + text + page.slice(to);
}

function rowLine([row, about]: [string, string], results: readonly RowResult[]): string {
  const own = results.filter(({ name }) => rowsOf(name).includes(row));
  const [first] = own;
  if (!first) return `| ${row} | ${about} | none | | |\n`;
  const more = own.length > 1 ? `, and ${own.length - 1} more` : '';
  const passed = own.filter((one) => one.passed).length;
  const seconds = own.reduce((sum, one) => sum + one.seconds, 0);
  const name = first.name.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const result = passed === own.length ? 'passed' : `${own.length - passed} of ${own.length} failed`;
  return `| ${row} | ${about} | ${first.file}: “${name.slice(name.indexOf(': ') + 2)}”${more} | ${result} | ${seconds.toFixed(1)} |\n`;
}

/** docs/reliability.md with what a run of the tests gave. */
export function withResults(page: string, results: readonly RowResult[]): string {
  const head = '| row | what happens | test | result | seconds |\n|---|---|---|---|---|\n';
  return between(
    page,
    ROWS_BEGIN,
    head +
      Object.entries(rows())
        .map((row) => rowLine(row, results))
        .join(''),
  );
}

/** docs/reliability.md with the bounds as they are. */
export function withBounds(page: string): string {
  const lines = bounds().bounds.map(({ bound, settings, metric, reason, test }) => {
    const set = settings.map((name) => {
      const setting: Setting | undefined = SETTINGS[name as keyof typeof SETTINGS];
      const unit = setting?.kind.unit === undefined ? '' : ` ${setting.kind.unit}`;
      return `\`${name}\` (${setting?.fallback ?? ''}${unit})`;
    });
    const counter = `\`janus_sfu_${metric}\`${reason === undefined ? '' : ` \`${reason}\``}`;
    return `| ${bound} | ${set.join(', ')} | ${counter} | ${test ?? ''} |\n`;
  });
  return between(
    page,
    BOUNDS_BEGIN,
    `| bound | setting (default) | counted by | row |\n|---|---|---|---|\n${lines.join('')}`,
  );
}
