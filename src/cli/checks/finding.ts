/** What one check came to. */
export interface Finding {
  level: 'ok' | 'warning' | 'problem';
  /** What was looked at: a setting, a port. */
  topic: string;
  text: string;
  /** What to do about it. */
  advice?: string;
}

export const ok = (topic: string, text: string): Finding => ({ level: 'ok', topic, text });

export const warning = (topic: string, text: string, advice: string): Finding => ({
  level: 'warning',
  topic,
  text,
  advice,
});

export const problem = (topic: string, text: string, advice: string): Finding => ({
  level: 'problem',
  topic,
  text,
  advice,
});

/** Every topic begins at the same column. */
const TOPIC_WIDTH = 18;

/** One line, and a second one with the advice. */
export function findingLines({ level, topic, text, advice }: Finding): string {
  const first = `${level.padEnd(8)} ${topic.padEnd(TOPIC_WIDTH)} ${text}\n`;
  return advice === undefined ? first : `${first}${' '.repeat(9)}${advice}\n`;
}
