import type { Metric } from '../metric.js';
import { CLUSTER_METRICS } from './cluster.js';
import { ROOM_METRICS } from './rooms.js';
import { SERVER_METRICS } from './server.js';
import { SESSION_METRICS } from './sessions.js';
import { SHARD_METRICS } from './shards.js';
import { TRANSPORT_METRICS } from './transports.js';
import { WEBHOOK_METRICS } from './webhooks.js';

/** Every metric of ours, in the order in which people read about them. */
export const METRIC_GROUPS: readonly { heading: string; metrics: readonly Metric[] }[] = [
  { heading: 'The server', metrics: SERVER_METRICS },
  { heading: 'Rooms and users', metrics: ROOM_METRICS },
  { heading: 'Sessions and requests', metrics: SESSION_METRICS },
  { heading: 'Connections', metrics: TRANSPORT_METRICS },
  { heading: 'Media workers', metrics: SHARD_METRICS },
  { heading: 'Webhooks', metrics: WEBHOOK_METRICS },
  { heading: 'The cluster', metrics: CLUSTER_METRICS },
];

export const METRICS: readonly Metric[] = METRIC_GROUPS.flatMap(({ metrics }) => metrics);
