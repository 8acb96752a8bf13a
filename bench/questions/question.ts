/** What a question of `npm run bench` is, and what its answer has. */
import type { Plot } from '../report/plot.js';

/** One figure of the table. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it should be at most, in the same unit. */
  most?: number;
}

export interface Answer {
  figures: Figure[];
  /** By file name, without the folder and `.svg`. */
  plots?: Record<string, Plot>;
  /** All that was measured. */
  data: unknown;
}

export interface Question {
  name: string;
  summary: string;
  /** About how long it takes, seconds. */
  seconds: number;
  /** @param tell takes a line for those who watch */
  ask(tell: (line: string) => void): Promise<Answer>;
}
