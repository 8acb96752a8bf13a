// A reporter for node --test: a line of JSON for each test that is named by a row of the threats, with the names of what
// it is part of between the row and its own.
import path from 'node:path';
import { root } from './prepare.mjs';

const ROW = /^([A-Z]\d+(?:, [A-Z]\d+)*: )(.*)$/s;

export default async function* report(source) {
  /** What is being run, by its depth. */
  const open = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') open[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const [, rows, own] = ROW.exec(data.name) ?? [];
    if (rows === undefined) continue;
    const name = rows + [...open.slice(0, data.nesting), own].join(' ');
    // With source maps the file is the source, without it is what was built.
    const file = path.relative(root, data.file ?? '').replace(/^dist\//, '');
    const seconds = data.details.duration_ms / 1000;
    const result = { file: file.replace(/\.test\.[jt]s$/, ''), name, passed: type === 'test:pass', seconds };
    yield `${JSON.stringify(result)}\n`;
  }
}
