/** A Dockerfile's steps, and the part of them that can be done without a container. */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

export interface Instruction {
  /** `COPY`, `RUN`, … */
  name: string;
  text: string;
}

export interface Stage {
  name: string;
  image: string;
  instructions: Instruction[];
}

/** Reads stages and instructions; ARG values before the first stage are filled in. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  const args = new Map<string, string>();
  const lines = text
    .replace(/^#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no instruction: ${line}`);
    const filled = rest.replace(/\$\{(\w+)\}/g, (_, variable: string) => args.get(variable) ?? '');
    if (name === 'FROM') {
      const [, image = '', stage = ''] = /^(\S+)(?: AS (\w+))?$/.exec(filled) ?? [];
      stages.push({ name: stage, image, instructions: [] });
    } else if (name === 'ARG' && stages.length === 0) {
      const [variable = '', value = ''] = rest.split('=');
      args.set(variable, value);
    } else stages.at(-1)?.instructions.push({ name, text: rest.replace(/\s+/g, ' ').trim() });
  }
  return stages;
}

/** What a COPY takes from the build context, or from another stage, and where it goes. */
export function copyOf({ text }: Instruction): { from: string | null; sources: string[]; target: string } {
  const words = text.split(' ');
  const from = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1] ?? null;
  const names = from === null ? words : words.slice(1);
  return { from, sources: names.slice(0, -1), target: names.at(-1) ?? '' };
}

/** The value of a list form, `["node", "a.js"]`. */
export function execForm(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

/** Whether a .dockerignore that lists what is kept (`*`, then `!name`) keeps a path. */
export function isKept(dockerignore: string, file: string): boolean {
  const lines = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (lines[0] !== '*' || lines.slice(1).some((line) => !line.startsWith('!'))) {
    throw new Error('.dockerignore should be "*" and then what is kept');
  }
  return lines.slice(1).some((line) => file === line.slice(1) || file.startsWith(`${line.slice(1)}/`));
}

/** Does a stage's COPY instructions from a context into a folder that stands for its working folder. */
export function copyContext(stage: Stage, context: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const instruction of stage.instructions) {
    if (instruction.name !== 'COPY') continue;
    const { from, sources, target } = copyOf(instruction);
    if (from !== null) continue;
    for (const source of sources) {
      const file = path.join(context, source);
      if (!existsSync(file)) throw new Error(`COPY ${source}: there is no such file`);
      const into = target.endsWith('/') ? path.join(folder, target, path.basename(source)) : path.join(folder, target);
      cpSync(file, into, { recursive: true });
    }
  }
}
