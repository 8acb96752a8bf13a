// `npm run licences`: writes docs/licences.md from package-lock.json: what the server is installed with, and under which licences.
// With --check it writes nothing, and fails if the page is stale. Either way it fails at a licence that nobody has looked at.
// Only Node's own modules may be imported here.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const page = path.join(root, 'docs/licences.md');

/** Allow use in any product; MPL asks that changes to its own files are published. */
const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Unlicense',
];
/** Other ways to write them, and packages whose manifest says it in a form that npm does not copy. */
const SPELLINGS = { 'MPL 2.0': 'MPL-2.0' };
const SAID_ELSEWHERE = { 'dom-walk': 'MIT', 'xmlhttprequest-ssl': 'MIT' };

const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));

const all = Object.entries(packages)
  .filter(([folder, { link }]) => folder !== '' && !link)
  .map(([folder, { version, license, dev, optional, os, cpu }]) => {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const said = license ?? SAID_ELSEWHERE[name] ?? 'unknown';
    return { name, version, licence: SPELLINGS[said] ?? said, dev: dev === true, platform: optional && (os ?? cpu) };
  })
  .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** `MIT OR Apache-2.0` allows what one of them allows. */
const allowed = (licence) =>
  licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((one) => one.split(' AND ').every((part) => ALLOWED.includes(part)));

const strange = all.filter(({ licence }) => !allowed(licence));
for (const { name, version, licence } of strange)
  console.error(`${name} ${version}: ${licence}: nobody has allowed this licence`);

const runtime = all.filter(({ dev }) => !dev);
const counts = new Map();
for (const { licence } of runtime) counts.set(licence, (counts.get(licence) ?? 0) + 1);

const text = `# Licences

janus-sfu is under the [MIT licence](../LICENSE). What is installed with it (\`npm install --omit=dev\`), by package-lock.json; of the
packages with native code for a platform, npm installs those of this machine alone. Packages for building and testing are not
listed: none of them is shipped.

<!-- Made by \`npm run licences\`. -->

${[...counts]
  .sort(([, a], [, b]) => b - a)
  .map(([licence, count]) => `${licence}: ${count}`)
  .join(', ')}.

| package | version | licence | |
|---|---|---|---|
${runtime
  .map(
    ({ name, version, licence, platform }) =>
      `| ${name} | ${version} | ${licence} | ${platform ? 'for one platform' : ''} |`,
  )
  .join('\n')}
`;

const stale = process.argv.includes('--check') && readFileSync(page, 'utf8') !== text;
if (stale) console.error('docs/licences.md is stale: npm run licences');
if (!process.argv.includes('--check')) writeFileSync(page, text);
process.exit(strange.length > 0 || stale ? 1 : 0);
