/** The page of docs/figures: what was measured last, question by question, with the plots. Pure. */
import { table } from './table.js';

export interface Answered {
  question: string;
  summary: string;
  /** ISO 8601. */
  date: string;
  machine: string;
  node: string;
  nodeDatachannel: string;
  rows: Record<string, string>[];
  /** By file name without `.svg`; what the plot shows. */
  plots: Record<string, string>;
}

export function figuresPage(answers: readonly Answered[]): string {
  const parts = answers.map(({ question, summary, date, machine, node, nodeDatachannel, rows, plots }) =>
    [
      `## ${summary[0]?.toUpperCase()}${summary.slice(1)}`,
      '',
      `    npm run bench -- --only ${question}`,
      '',
      `${date.slice(0, 10)}, ${machine}, Node ${node}, node-datachannel ${nodeDatachannel}.`,
      '',
      table(rows),
      ...Object.entries(plots).flatMap(([name, shows]) => ['', `![${shows}](${name}.svg)`]),
      '',
    ].join('\n'),
  );
  return [
    '# Figures',
    '',
    'Made by `npm run bench -- --docs`; what they mean: [performance.md](../performance.md). Everything ran on one machine, the load',
    'generator beside the server.',
    '',
    ...parts,
  ].join('\n');
}
