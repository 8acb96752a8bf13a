/** The packet engine's operations beside the same logic in plain TypeScript: bench/engine.bench.ts, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../children.js';
import type { Answer, Question } from './question.js';

interface Bench {
  name: string;
  /** Operations a second. */
  wasm: number;
  plain: number;
  ratio: number;
}

async function ask(): Promise<Answer> {
  const file = fileURLToPath(new URL('../engine.bench.js', import.meta.url));
  const child = spawn(process.execPath, [file, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the engine's bench ended with ${code}`);
  const { benches } = JSON.parse(text) as { benches: Bench[] };
  return {
    figures: benches.flatMap(({ name, wasm, ratio }) => [
      { what: name, value: wasm / 1e6, unit: 'million/s' },
      { what: 'the same to plain TypeScript', value: ratio, unit: '' },
    ]),
    data: { benches },
  };
}

export const engine: Question = { name: 'engine', summary: "the packet engine's operations", seconds: 15, ask };
