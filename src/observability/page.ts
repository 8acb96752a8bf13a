import type { Metric } from './metric.js';
import { METRIC_GROUPS } from './metrics/all.js';

/** Between these lines of docs/observability.md the metrics stand. */
export const TABLE_START = '<!-- Made from src/observability/metrics by `npm run docs`. -->';
export const TABLE_END = '<!-- End of what is made. -->';

/** What the values of a metric's label mean, if that is said. */
function meaningsTable({ name, labels, meanings }: Metric): string[] {
  if (!meanings) return [];
  const rows = Object.entries(meanings).map(([value, meaning]) => `| \`${value}\` | ${meaning} |`);
  return [[`| \`${labels[0]}\` of \`${name}\` | each time |`, '|---|---|', ...rows].join('\n')];
}

/** All metrics as tables, in Markdown. */
export function metricsTables(): string {
  const groups = METRIC_GROUPS.map(({ heading, metrics }) => {
    const rows = metrics.map(({ name, type, labels, help }) => {
      const shownLabels = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${shownLabels} | ${help} |`.replaceAll('|  |', '| |');
    });
    const table = [`### ${heading}`, '| name | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
    return [table, ...metrics.flatMap(meaningsTable)].join('\n\n');
  });
  return groups.join('\n\n');
}

/**
 * The page with the tables of now.
 *
 * @throws Error if it has no place for them
 */
export function withTables(page: string): string {
  const start = page.indexOf(TABLE_START);
  const end = page.indexOf(TABLE_END);
  if (start < 0 || end < start) throw new Error(`the page needs the lines ${TABLE_START} and ${TABLE_END}`);
  return `${page.slice(0, start)}${TABLE_START}\n${metricsTables()}\n\n${page.slice(end)}`;
}
