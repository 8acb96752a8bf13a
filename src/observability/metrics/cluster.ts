import { CLUSTER_EVENTS, type ClusterEvent } from '../figures.js';
import { labelled, type Metric, single } from '../metric.js';

/** This node of a cluster; all 0 where the server is alone. */
export const CLUSTER_METRICS: readonly Metric[] = [
  single('gauge', 'cluster_nodes', 'Nodes that live, this one too', ({ cluster }) => cluster?.nodes ?? 0),
  single(
    'gauge',
    'cluster_nodes_untrusted',
    'Nodes that live but do not know CLUSTER_SECRET: nobody is sent there',
    ({ cluster }) => cluster?.untrusted ?? 0,
  ),
  single('gauge', 'cluster_nats_up', '1 while NATS is here', ({ cluster }) => Number(cluster?.linked ?? false)),
  single('gauge', 'cluster_draining', '1 while this node takes no new rooms', ({ cluster }) =>
    Number(cluster?.draining ?? false),
  ),
  single('gauge', 'cluster_rooms', 'Rooms that are this node’s, empty ones too', ({ cluster }) => cluster?.rooms ?? 0),
  single(
    'gauge',
    'cluster_rooms_unconfirmed',
    'Rooms of this node that NATS does not know of: they were made while it was away',
    ({ cluster }) => cluster?.unconfirmed ?? 0,
  ),
  single(
    'gauge',
    'cluster_relayed_connections',
    'WebSockets that go through this node to others',
    ({ cluster }) => cluster?.relayed ?? 0,
  ),
  single(
    'gauge',
    'cluster_blocks_waiting',
    'Blocks that wait for NATS to be passed on',
    ({ cluster }) => cluster?.blocksWaiting ?? 0,
  ),
  {
    ...labelled(
      'counter',
      'cluster_events_total',
      ['event'],
      'What happened between the nodes, see below',
      ({ cluster }) =>
        Object.keys(CLUSTER_EVENTS).map((event) => [cluster?.counters[event as ClusterEvent] ?? 0, event]),
    ),
    meanings: CLUSTER_EVENTS,
  },
];
