// Writes the tables of docs/observability.md from the definitions of the metrics, which have to be built for it.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const { withTables } = await import(pathToFileURL(path.join(root, 'dist/src/observability/page.js')).href);
const page = path.join(root, 'docs/observability.md');
writeFileSync(page, withTables(readFileSync(page, 'utf8')));
