import { labelled, type Metric, single } from '../metric.js';

const OUTCOMES = ['delivered', 'refused', 'expired', 'overflowed', 'abandoned'] as const;

/** Deliveries of webhooks; all 0 without a receiver. */
export const WEBHOOK_METRICS: readonly Metric[] = [
  single(
    'gauge',
    'webhooks_waiting',
    'Webhook events that wait for their delivery',
    (figures) => figures.webhooks?.waiting ?? 0,
  ),
  labelled(
    'counter',
    'webhooks_total',
    ['outcome'],
    'Webhook events: `delivered`, `refused` by the receiver, `expired` (it failed for 15 minutes), `overflowed` (`WEBHOOK_QUEUE_MAX`), `abandoned` at the server’s end',
    ({ webhooks }) => OUTCOMES.map((outcome) => [webhooks?.counters[outcome] ?? 0, outcome]),
  ),
  single(
    'counter',
    'webhook_retries_total',
    'Deliveries that failed and are tried again',
    (figures) => figures.webhooks?.counters.retries ?? 0,
  ),
];
