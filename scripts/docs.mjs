// `npm run docs`: writes docs/differences.md from test/conformance/deviations.json, the one file that holds the reason
// of each difference from the reference. With --check it writes nothing, and fails if the page is stale.
// Only Node's own modules may be imported here.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'test/conformance/deviations.json');
const page = path.join(root, 'docs/differences.md');

const INTRODUCTION = `# Differences from the reference

The reference is Janus 0.14 with janus-plugin-sfu, recorded; "document" is that plugin's own signalling document. Clients
that we know (naf-janus-adapter, minijanus, janus.js, janode; see [clients.md](clients.md)) work unmodified with both.

<!-- Made from test/conformance/deviations.json by \`npm run docs\`. -->
`;

/** The tables of the page, in its order. */
const TABLES = [
  { area: 'plugin', heading: 'The plugin', columns: ['point', 'document', 'reference', 'ours'] },
  { area: 'sdp', heading: 'SDP and media', columns: ['point', 'reference', 'ours'] },
  { area: 'janus', heading: 'The Janus API', columns: ['point', 'reference', 'ours'] },
  { area: 'http', heading: 'HTTP', columns: ['point', 'reference', 'ours'] },
  { area: 'admin', heading: 'The Admin API', columns: ['point', 'reference', 'ours'] },
];

const TITLES = { ours: 'janus-sfu' };

/** What is wrong with the file, a line for each fault. */
function faults({ differences, attributes, recordings, scenarios }) {
  const found = [];
  const ids = new Set();
  for (const { id, area, point, reference, ours, source: reason } of differences) {
    if (ids.has(id)) found.push(`the difference ${id} is there twice`);
    ids.add(id);
    if (!TABLES.some((table) => table.area === area)) found.push(`${id}: there is no table for the area ${area}`);
    if (!point || !reference || !ours || !reason) found.push(`${id}: point, reference, ours and source are needed`);
    if ([point, reference, ours].some((cell) => /[|\n]/.test(cell))) found.push(`${id}: no | or line end in a table`);
  }
  for (const id of Object.values(attributes)) if (!ids.has(id)) found.push(`attributes: there is no difference ${id}`);
  for (const [scenario, lines] of Object.entries(scenarios)) {
    if (scenario in recordings) found.push(`${scenario}: say its differences at ${recordings[scenario]}`);
    for (const { where, differences: reasons } of lines) {
      if (!/^(\^step |events of the network$)/.test(where)) found.push(`${scenario}: ${where} is no step`);
      if (!reasons?.length) found.push(`${scenario}, ${where}: no difference is named`);
      for (const id of reasons ?? []) if (!ids.has(id)) found.push(`${scenario}: there is no difference ${id}`);
    }
  }
  return found;
}

function table(rows, columns) {
  const lines = rows.map((row) => columns.map((column) => row[column] ?? ''));
  const titles = columns.map((column) => TITLES[column] ?? column);
  return [titles, columns.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |'))
    .join('\n')
    .replace(/^(\| ---.*)$/m, (line) => line.replaceAll(' ', ''));
}

function markdown({ differences }) {
  const tables = TABLES.flatMap(({ area, heading, columns }) => {
    const rows = differences.filter((one) => one.area === area);
    return rows.length === 0 ? [] : [`## ${heading}\n${table(rows, columns)}\n`];
  });
  return [INTRODUCTION, ...tables].join('\n');
}

const deviations = JSON.parse(readFileSync(source, 'utf8'));
const wrong = faults(deviations);
for (const fault of wrong) console.error(`deviations.json: ${fault}`);
if (wrong.length > 0) process.exit(1);
const text = markdown(deviations);
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/differences.md is stale: run `npm run docs`.');
  process.exit(1);
}
