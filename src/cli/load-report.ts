/** What a load came to, beside its goals. Pure. */
import type { ConnectReport } from '../../bench/load/protocol.js';
import type { LoadMeasurement } from '../../bench/load/tally.js';
import type { LoadPlan } from './load-plan.js';

export interface LoadOutcome {
  users: ConnectReport;
  subscriptions: ConnectReport;
  measurement: LoadMeasurement;
}

export interface LoadRow {
  what: string;
  got: string;
  /** Empty where there is no goal. */
  goal: string;
  met: boolean;
}

/** Share of what should have come and did not; 0..1. Where nothing was sent nothing is lost. */
export function lossOf({ expected, received }: { expected: number; received: number }): number {
  return expected > 0 ? Math.max(0, (expected - received) / expected) : 0;
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
const ms = (value: number) => `${value.toFixed(1)} ms`;

function limited(what: string, value: number, goal: number | null, text: (value: number) => string): LoadRow {
  // NaN, where nothing came at all, meets no goal.
  return {
    what,
    got: text(value),
    goal: goal === null ? '' : `at most ${text(goal)}`,
    met: goal === null || value <= goal,
  };
}

/** The table's rows. `met` of all of them: the goals were met. */
export function reportOf({ users, subscriptions, measurement }: LoadOutcome, plan: LoadPlan): LoadRow[] {
  const told = (what: string, got: string): LoadRow => ({ what, got, goal: '', met: true });
  const { sent, expected, received, latency, data } = measurement;
  const lossMax = plan.lossMax / 100;
  return [
    told('users joined', String(users.connected)),
    told('subscriptions', String(subscriptions.connected)),
    limited('failed connections', users.failed + subscriptions.failed, plan.failedMax, String),
    told('set-up', `${ms(subscriptions.setup.p50)}, 99 % within ${ms(subscriptions.setup.p99)}`),
    told(
      'packets',
      `${sent} sent, ${received} of ${expected} received, ${(received / plan.seconds).toFixed(0)} a second`,
    ),
    limited('loss', expected > 0 || plan.videoPps + plan.audioPps === 0 ? lossOf(measurement) : 1, lossMax, percent),
    told('latency, half within', ms(latency.p50)),
    limited('latency, 99 % within', latency.p99, plan.latencyMax, ms),
    ...(plan.dataRate > 0 && plan.users > 1
      ? [
          told('data messages', `${data.sent} sent, ${data.received} of ${data.expected} received`),
          limited('data loss', data.expected > 0 ? lossOf(data) : 1, lossMax, percent),
          limited('data, 99 % within', data.latency.p99, plan.dataLatencyMax, ms),
        ]
      : []),
  ];
}

/** Lines for people; what went wrong with connections follows. */
export function reportText(rows: readonly LoadRow[], reasons: readonly string[]): string {
  const width = (pick: (row: LoadRow) => string) => Math.max(...rows.map((row) => pick(row).length));
  const [whatWidth, gotWidth] = [width(({ what }) => what), width(({ got }) => got)];
  const lines = rows.map(({ what, got, goal, met }) => {
    const judged = goal === '' ? '' : `${goal}: ${met ? 'met' : 'NOT MET'}`;
    return `${what.padEnd(whatWidth)}  ${got.padEnd(gotWidth)}  ${judged}`.trimEnd();
  });
  return [...lines, ...reasons.map((reason) => `failed: ${reason}`), ''].join('\n');
}
