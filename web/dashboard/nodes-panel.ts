import { byId } from '../shared/dom.js';
import type { ClusterNode, ClusterState } from './admin-api.js';
import { Table } from './table.js';

export interface NodesParts {
  onDrain: (node: ClusterNode) => void;
}

/** The nodes of the cluster: what each does, and whether it takes new rooms. */
export class NodesPanel {
  readonly #section = byId('cluster', HTMLElement);
  readonly #words = byId('cluster-words', HTMLElement);
  readonly #nodes: Table<ClusterNode>;

  constructor({ onDrain }: NodesParts) {
    const figure = (title: string, value: (node: ClusterNode) => string) => ({ title, value, figures: true });
    this.#nodes = new Table<ClusterNode>(
      byId('nodes', HTMLElement),
      'Nodes of the cluster',
      [
        { title: 'Node', value: ({ name, self }) => (self ? `${name} (this one)` : name) },
        { title: 'State', value: stateOf },
        figure('Load', ({ load }) => `${Math.round(load * 100)} %`),
        figure('Rooms', ({ rooms }) => String(rooms)),
        figure('Clients', ({ clients }) => String(clients)),
        figure('Unconfirmed', ({ unconfirmed }) => String(unconfirmed)),
        figure('Conflicts', ({ conflicts }) => String(conflicts)),
        { title: 'Up for', value: ({ started }) => durationSince(started) },
        { title: 'Version', value: ({ version }) => version },
        { title: 'Cluster port', value: ({ address }) => address },
      ],
      ({ id }) => id,
      [
        {
          label: ({ trusted, draining }) => (trusted ? (draining ? 'Take rooms' : 'Drain') : null),
          name: ({ name }) => name,
          run: onDrain,
        },
      ],
    );
  }

  update({ nodes, nats }: ClusterState): void {
    this.#section.hidden = false;
    const words = [
      nodes.length === 1 ? 'One node.' : `${nodes.length} nodes.`,
      nats ? 'NATS is here.' : 'NATS is away: rooms go on, and what is shown here of other nodes stands still.',
    ].join(' ');
    if (this.#words.textContent !== words) this.#words.textContent = words;
    this.#section.dataset.status = nats && nodes.every(({ trusted }) => trusted) ? 'well' : 'ill';
    this.#nodes.update(nodes);
  }
}

function stateOf({ trusted, draining, rooms }: ClusterNode): string {
  if (!trusted) return 'has another CLUSTER_SECRET';
  if (!draining) return 'takes rooms';
  return rooms > 0 ? 'drains' : 'drained';
}

/** `5 d`, `3 h`, `12 min`: as exact as anybody asks. */
export function durationSince(started: string, now = Date.now()): string {
  const minutes = Math.max(0, (now - Date.parse(started)) / 60_000);
  if (minutes >= 2 * 24 * 60) return `${Math.floor(minutes / 24 / 60)} d`;
  return minutes >= 120 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes)} min`;
}
