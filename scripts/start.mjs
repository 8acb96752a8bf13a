// `npm start`: installs and builds what is missing, then runs the server in this same process,
// so that a signal to it reaches the server and nobody in between.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(path.join(root, 'dist/src/main.js')).href);
