/** What a subscriber's peer costs in memory, up to a thousand of them in one process, and whether they all stay up. */
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, type ContenderName, startBareLoop, startJanusSfu } from '../contenders.js';
import { residentBytes } from '../load/process-stats.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const COUNTS = [50, 250, 500, 1000];
/** Of each subscriber. */
const MOST_MIB = 0.3;
const MIB = 2 ** 20;
/** Few packets: what is asked is whether they reach everybody. */
const RATES = { videoPps: 5, audioPps: 5 };
const SETTLE_MS = 1000;
const SECONDS = 3;

interface Point {
  relay: ContenderName;
  subscribers: number;
  /** MiB of the process. */
  resident: number;
}

async function sweep(contender: Contender, tell: (line: string) => void): Promise<{ points: Point[]; loss: number }> {
  return withGenerator(contender, async (generator) => {
    const points: Point[] = [];
    await generator.publish({ rooms: 1, users: 1, listeners: COUNTS.at(-1) ?? 0 });
    await generator.send(RATES);
    let there = 0;
    for (const subscribers of COUNTS) {
      await generator.subscribe({ count: subscribers - there });
      await generator.send(RATES);
      there = subscribers;
      await elapse(SETTLE_MS);
      points.push({ relay: contender.name, subscribers, resident: residentBytes(contender.pid) / MIB });
      tell(`${contender.name}, ${subscribers} subscribers: ${points.at(-1)?.resident.toFixed(0)} MiB`);
    }
    await generator.begin();
    await elapse(SECONDS * 1000);
    const { expected, received } = await generator.end();
    return { points, loss: 1 - received / expected };
  });
}

/** MiB that each peer after the first ones added. */
function perPeer(points: readonly Point[]): number {
  const [first, last] = [points[0], points.at(-1)];
  return first && last ? (last.resident - first.resident) / (last.subscribers - first.subscribers) : Number.NaN;
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const ours = await withContender(
    () => startJanusSfu(),
    (contender) => sweep(contender, tell),
  );
  const bare = await withContender(startBareLoop, (contender) => sweep(contender, tell));
  return {
    figures: [
      { what: 'memory per subscriber peer, to 1,000', value: perPeer(ours.points), unit: 'MiB', most: MOST_MIB },
      { what: 'the same, bare loop', value: perPeer(bare.points), unit: 'MiB' },
      { what: 'loss with 1,000 subscriber peers', value: ours.loss * 100, unit: '%', most: 0.5 },
    ],
    plots: {
      'memory-peers': {
        title: 'Resident memory against subscriber peers',
        description: 'Of the whole process, with one publisher; each subscriber has a PeerConnection of its own.',
        x: 'subscriber peers',
        y: 'MiB',
        series: [ours, bare].map(({ points }) => ({
          name: points[0]?.relay ?? '',
          points: points.map(({ subscribers, resident }) => [subscribers, resident] as const),
        })),
      },
    },
    data: { ours, bare },
  };
}

export const memory: Question = { name: 'memory', summary: 'memory per peer, 1,000 peers', seconds: 80, ask };
