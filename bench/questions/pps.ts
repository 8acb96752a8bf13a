/** What a packet costs at low and high packet rates: rates merge wake-ups. */
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, startBareLoop, startJanusSfu } from '../contenders.js';
import { type ForwardingResult, measureWindow, WARM_UP_MS } from '../forwarding.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const VIDEO_PPS = [50, 200, 400, 800];
const AUDIO_PPS = 50;
const SUBSCRIBERS = 30;
const SECONDS = 3;
const SETTLE_MS = 1000;

type Point = Omit<ForwardingResult, 'memoryPerSubscriber'> & { videoPps: number };

async function sweep(contender: Contender, tell: (line: string) => void): Promise<Point[]> {
  return withGenerator(contender, async (generator) => {
    const points: Point[] = [];
    await generator.publish({ rooms: 1, users: 1, listeners: SUBSCRIBERS });
    await generator.subscribe();
    for (const videoPps of VIDEO_PPS) {
      await generator.send({ videoPps, audioPps: AUDIO_PPS });
      await elapse(points.length === 0 ? WARM_UP_MS : SETTLE_MS);
      const point = { videoPps, ...(await measureWindow(contender, generator, SECONDS)) };
      points.push(point);
      tell(`${contender.name}, ${videoPps} video pps: ${point.cpuPerPacket.toFixed(1)} us/packet`);
    }
    return points;
  });
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const ours = await withContender(
    () => startJanusSfu(),
    (contender) => sweep(contender, tell),
  );
  const bare = await withContender(startBareLoop, (contender) => sweep(contender, tell));
  const series = [ours, bare].map((points) => ({
    name: points[0]?.relay ?? '',
    points: points.map(({ videoPps, cpuPerPacket }) => [videoPps, cpuPerPacket] as const),
  }));
  const last = (points: readonly Point[]) => points.at(-1)?.cpuPerPacket ?? Number.NaN;
  const most = VIDEO_PPS.at(-1);
  return {
    figures: [
      { what: `CPU per packet, 1 x ${SUBSCRIBERS} x ${most} pps`, value: last(ours), unit: 'us' },
      { what: `the same to the bare loop`, value: last(ours) / last(bare), unit: '' },
    ],
    plots: {
      'cost-pps': {
        title: 'CPU per forwarded packet against the packet rate',
        description: `One publisher with ${SUBSCRIBERS} subscribers, ${AUDIO_PPS} audio packets a second beside the video.`,
        x: 'video packets a second',
        y: 'microseconds of CPU per packet',
        series,
      },
    },
    data: { subscribers: SUBSCRIBERS, audioPps: AUDIO_PPS, points: [...ours, ...bare] },
  };
}

export const pps: Question = { name: 'pps', summary: 'CPU per packet against the packet rate', seconds: 55, ask };
