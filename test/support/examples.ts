import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './project.js';

/** The JavaScript examples of a page of the documentation, in order. */
export function examplesOf(page: string): string[] {
  const text = readFileSync(path.join(projectRoot, page), 'utf8');
  return [...text.matchAll(/^```js\n(.+?)^```$/gms)].map(([, code = '']) => code);
}
