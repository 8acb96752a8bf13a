/** Where and with what figures were measured, and the files that keep them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(new URL(`../../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

/** What belongs to any figure. */
export function machineFacts() {
  return {
    date: new Date().toISOString(),
    machine: `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.versions.node,
    nodeDatachannel: versionOf('node-datachannel'),
  };
}

export function saveText(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

export function saveJson(file: string, value: unknown): void {
  saveText(file, `${JSON.stringify(value, null, 2)}\n`);
}
