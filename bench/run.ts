/**
 * `npm run bench -- [--only setup,room] [--output artefacts/bench] [--docs]`
 *
 * All questions of performance, one after the other, in about six minutes: one table at the end, and the figures as JSON and
 * plots as SVG in the output folder. `--only` takes names of questions; `--docs` puts plots and figures into docs/figures too.
 * It stops by itself, and its servers and load generators with it.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { data } from './questions/data.js';
import { engine } from './questions/engine.js';
import { memory } from './questions/memory.js';
import { pps } from './questions/pps.js';
import type { Answer, Figure, Question } from './questions/question.js';
import { room } from './questions/room.js';
import { sdp } from './questions/sdp.js';
import { setup } from './questions/setup.js';
import { smallRooms } from './questions/small-rooms.js';
import { subscribers } from './questions/subscribers.js';
import { workers } from './questions/workers.js';
import { plot } from './report/plot.js';
import { machineFacts, saveJson, saveText } from './report/record.js';
import { table } from './report/table.js';

const QUESTIONS: readonly Question[] = [subscribers, pps, workers, memory, setup, room, smallRooms, data, sdp, engine];
const DOCS = fileURLToPath(new URL('../../docs/figures', import.meta.url));

const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    output: { type: 'string', default: 'artefacts/bench' },
    docs: { type: 'boolean', default: false },
  },
});

function chosen(): readonly Question[] {
  if (given.only === undefined) return QUESTIONS;
  return given.only.split(',').map((name) => {
    const question = QUESTIONS.find((one) => one.name === name);
    if (question) return question;
    const names = QUESTIONS.map((one) => `  ${one.name.padEnd(12)} ${one.summary}`).join('\n');
    throw new Error(`--only ${name}: there is no such question, only\n${names}`);
  });
}

/** Three digits that count. */
const figureText = (value: number) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/e[+]?(-?\d+)/, ' x 10^$1');

function row(question: string, { what, value, unit, most }: Figure): Record<string, string> {
  const goal = most === undefined ? '' : `at most ${most}: ${value <= most ? 'met' : 'NOT MET'}`;
  return { question, figure: what, value: figureText(value), unit, goal };
}

function save(question: Question, answer: Answer): void {
  for (const folder of [given.output, ...(given.docs ? [DOCS] : [])]) {
    const { figures, data: measured } = answer;
    saveJson(path.join(folder, `${question.name}.json`), { ...machineFacts(), figures, data: measured });
    for (const [name, one] of Object.entries(answer.plots ?? {})) saveText(path.join(folder, `${name}.svg`), plot(one));
  }
}

const questions = chosen();
const expected = questions.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${questions.length} questions, about ${Math.ceil(expected / 60)} min`);
const started = performance.now();
const since = () => `${Math.round((performance.now() - started) / 1000)} s`;
const rows: Record<string, string>[] = [];
for (const [index, question] of questions.entries()) {
  console.log(`\n[${index + 1}/${questions.length}, ${since()}] ${question.name}: ${question.summary}`);
  const answer = await question.ask((line) => console.log(`  ${line}`));
  save(question, answer);
  rows.push(...answer.figures.map((figure) => row(question.name, figure)));
}
console.log(
  `\n${table(rows)}\n\n${since()}. Figures and plots: ${given.output}${given.docs ? ' and docs/figures' : ''}`,
);
