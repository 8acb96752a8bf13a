import type { ClusterFigures } from '../observability/figures.js';
import type { Cluster } from './cluster.js';
import type { NatsLink } from './nats.js';
import type { RelayServer } from './relay-server.js';

/** What of a node there is to measure. */
export function figuresOf(cluster: Cluster, link: NatsLink, server: RelayServer): ClusterFigures {
  const { ownership, relay, router, commander, blocks, membership } = cluster;
  const { created, taken, unconfirmed, yielded, contested } = ownership.counters;
  const nodes = cluster.nodes();
  return {
    linked: cluster.linked,
    draining: cluster.draining,
    nodes: nodes.length,
    untrusted: nodes.filter(({ id }) => !membership.trusts(id)).length,
    rooms: ownership.size,
    unconfirmed: ownership.unconfirmed,
    relayed: relay.connections,
    blocksWaiting: blocks.waiting,
    counters: {
      nats_lost: link.losses,
      rooms_created: created,
      rooms_taken: taken,
      rooms_unconfirmed: unconfirmed,
      yielded,
      contested,
      sent_away: cluster.counters.sentAway,
      not_remembered: cluster.counters.notRemembered,
      relayed: relay.counters.relayed,
      relayed_requests: relay.counters.requestsRelayed,
      relay_unreachable: relay.counters.unreachable,
      relay_unproven: relay.counters.unproven,
      relay_untrusted: router.counters.untrusted,
      relay_limit: router.counters.full + server.dropped,
      searches_refused: router.counters.searchesRefused,
      waited_in_vain: router.counters.waitedInVain,
      refused: server.refused + commander.counters.refused,
      lifted_removed: blocks.lifted.counters.removed,
      lifted_not_removed: blocks.lifted.counters.failed,
      commands: commander.counters.asked,
      commands_failed: commander.counters.failed,
    },
  };
}
