import os from 'node:os';
import type { Config } from '../config/schema.js';

const LENGTH_MAX = 100;

/** What this server is called among the nodes of its cluster; null where it is alone. */
export function nodeName(config: Pick<Config, 'NATS_URL' | 'CLUSTER_NODE'>): string | null {
  if (config.NATS_URL.length === 0) return null;
  return config.CLUSTER_NODE ?? os.hostname().slice(0, LENGTH_MAX);
}
