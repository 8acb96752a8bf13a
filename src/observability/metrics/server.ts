import { labelled, type Metric, single } from '../metric.js';

/** The server as a whole. */
export const SERVER_METRICS: readonly Metric[] = [
  labelled('gauge', 'build_info', ['version'], 'Always 1; the label says which version runs', ({ version }) => [
    [1, version],
  ]),
  single('gauge', 'ready', '1 if `/readyz` answers 200', ({ ready }) => Number(ready)),
  single('gauge', 'accepting_sessions', '0 while no new sessions are taken (drained, or the server ends)', (figures) =>
    Number(figures.acceptingSessions),
  ),
];
