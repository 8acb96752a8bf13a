/**
 * `npm run bench -- [--only setup,room] [--output artefacts/bench] [--docs]`
 *
 * All questions of performance, one after the other, in about six minutes: one table at the end, and the figures as JSON and
 * plots as SVG in the output folder. `--only` takes names of questions; `--docs` puts plots and figures into docs/figures too.
 * It stops by itself, and its servers and load generators with it.
 */
import { existsSync, readFileSync } from 'node:fs';
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
import { type Answered, figuresPage } from './report/page.js';
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

function row({ what, value, unit, most }: Figure): Record<string, string> {
  const goal = most === undefined ? '' : `at most ${most}: ${value <= most ? 'met' : 'NOT MET'}`;
  return { figure: what, value: figureText(value), unit, goal };
}

function save({ name: question, summary }: Question, { figures, data: measured, plots = {} }: Answer): void {
  const shows = Object.fromEntries(Object.entries(plots).map(([name, { title }]) => [name, title]));
  const answered = { question, summary, ...machineFacts(), rows: figures.map(row), plots: shows };
  for (const folder of [given.output, ...(given.docs ? [DOCS] : [])]) {
    saveJson(path.join(folder, `${question}.json`), { ...(answered satisfies Answered), figures, data: measured });
    for (const [name, one] of Object.entries(plots)) saveText(path.join(folder, `${name}.svg`), plot(one));
  }
  if (given.docs) saveText(path.join(DOCS, 'README.md'), figuresPage(QUESTIONS.flatMap(answeredBefore)));
}

/** The answer that docs/figures has, of this run or an earlier one. */
function answeredBefore({ name }: Question): Answered[] {
  const file = path.join(DOCS, `${name}.json`);
  return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : [];
}

const questions = chosen();
const expected = questions.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${questions.length} questions, about ${Math.ceil(expected / 60)} min`);
const started = performance.now();
const since = () => `${Math.round((performance.now() - started) / 1000)} s`;
const rows: Record<string, string>[] = [];
for (const [index, question] of questions.entries()) {
  console.log(`\n[${index + 1}/${questions.length}, ${since()}] ${question.name}: ${question.summary}`);
  try {
    const answer = await question.ask((line) => console.log(`  ${line}`));
    save(question, answer);
    rows.push(...answer.figures.map((figure) => ({ question: question.name, ...row(figure) })));
  } catch (error) {
    // The other questions have answers all the same.
    console.log(`  failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
console.log(
  `\n${table(rows)}\n\n${since()}. Figures and plots: ${given.output}${given.docs ? ' and docs/figures' : ''}`,
);
