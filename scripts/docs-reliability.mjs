// Writes the table of bounds in docs/reliability.md; the table of threats is written by `npm run test:threats`.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const { withBounds } = await import(pathToFileURL(path.join(root, 'dist/test/support/threats.js')).href);
const page = path.join(root, 'docs/reliability.md');
writeFileSync(page, withBounds(readFileSync(page, 'utf8')));
