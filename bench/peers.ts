/**
 * `npm run bench:peers -- [--cases 1x50x300,10x9x100] [--runs 3] [--seconds 5] [--output artefacts/bench/peers.json]`
 *
 * Our server, the bare loop (bench/bare-loop.ts) and Debian's Janus with its videoroom and two event loops, where it is
 * installed (`apt-get install janus`): the same load from the same generator, runs in turns, medians, and ratios to the
 * bare loop. A case is PUBLISHERSxSUBSCRIBERSxVIDEO-PPS, with 50 audio packets a second beside the video.
 */
import { parseArgs } from 'node:util';
import { type Contender, type ContenderName, startBareLoop, startJanusSfu } from './contenders.js';
import { type ForwardingResult, forwardingLine, measureForwarding } from './forwarding.js';
import { HOW_TO_INSTALL, janusVersion, startVideoroom } from './janus-videoroom.js';
import { shapeOf } from './load/shape.js';
import { inOwnNetwork, ownNetworkProblem, runInOwnNetwork } from './own-network.js';
import { machineFacts, saveJson } from './report/record.js';
import { median } from './report/statistics.js';
import { table } from './report/table.js';

const AUDIO_PPS = 50;

/** Why Janus can't be measured here; null if it can. */
async function janusProblem(): Promise<string | null> {
  if (janusVersion() === null) return `there is no janus on the PATH; ${HOW_TO_INSTALL}`;
  const problem = await ownNetworkProblem();
  return problem && `it takes no loopback addresses for media, and no network of its own can be made here: ${problem}`;
}

if (!inOwnNetwork()) {
  const problem = await janusProblem();
  if (problem === null) process.exit(await runInOwnNetwork());
  console.log(`Debian's Janus is not measured: ${problem}`);
}

const { values: given } = parseArgs({
  options: {
    cases: { type: 'string', default: '1x50x300,10x9x100' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    output: { type: 'string', default: 'artefacts/bench/peers.json' },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} ${text}: a whole number over 0 is needed`);
}

const [runs, seconds] = [whole('--runs', given.runs), whole('--seconds', given.seconds)];
const cases = given.cases.split(',').map((name) => {
  const [publishers = 0, subscribers = 0, videoPps = 0] = name.split('x').map((part) => whole('--cases', part));
  return { name, shape: shapeOf(publishers, subscribers), rates: { videoPps, audioPps: AUDIO_PPS }, seconds };
});
const janus = inOwnNetwork() ? janusVersion() : null;
const starters: Record<ContenderName, () => Promise<Contender>> = {
  'janus-sfu': () => startJanusSfu(),
  'bare loop': startBareLoop,
  'Janus videoroom': startVideoroom,
};
const names = (Object.keys(starters) as ContenderName[]).filter((name) => name !== 'Janus videoroom' || janus !== null);
const results: (ForwardingResult & { case: string })[] = [];
for (const one of cases) {
  console.log(`${one.name}: ${runs} runs of ${seconds} s each of ${names.join(', ')}`);
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) {
      const contender = await starters[name]();
      try {
        const result = await measureForwarding(contender, one);
        results.push({ ...result, case: one.name });
        console.log(`  ${forwardingLine(result)}`);
      } finally {
        await contender.stop();
      }
    }
  }
}

const middle = (name: ContenderName, of: string, value: (result: ForwardingResult) => number) =>
  median(results.filter((result) => result.relay === name && result.case === of).map(value));
const rows = cases.flatMap(({ name: of }) =>
  names.map((name) => {
    const cost = middle(name, of, ({ cpuPerPacket }) => cpuPerPacket);
    return {
      case: of,
      relay: name === 'Janus videoroom' ? `Janus ${janus} videoroom` : name,
      'us/packet': cost.toFixed(2),
      'to bare loop': (cost / middle('bare loop', of, ({ cpuPerPacket }) => cpuPerPacket)).toFixed(2),
      'p99 ms': middle(name, of, ({ latency }) => latency.p99).toFixed(2),
      'loss %': (100 * middle(name, of, ({ loss }) => loss)).toFixed(3),
      'MiB/subscriber': middle(name, of, ({ memoryPerSubscriber }) => memoryPerSubscriber).toFixed(2),
    };
  }),
);
console.log(`\n${table(rows)}`);
saveJson(given.output, { ...machineFacts(), janus, runs, seconds, medians: rows, results });
console.log(`\nAll figures: ${given.output}`);
