// Writes docs/configuration.md from the schema of the settings (src/config), which has to be built for it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const { configurationPage } = await import(pathToFileURL(path.join(root, 'dist/src/config/page.js')).href);
writeFileSync(path.join(root, 'docs/configuration.md'), configurationPage());
