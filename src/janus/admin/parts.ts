import type { AdjustableLog } from '../../observability/log.js';
import type { SfuPlugin } from '../../sfu/plugin.js';
import type { Shards } from '../../shards/pool.js';
import type { JanusApi } from '../api.js';
import type { Authority } from '../authority.js';
import type { Fields } from '../envelope.js';
import type { Handle, Session, Sessions } from '../sessions.js';
import type { AdminCluster } from './cluster-verbs.js';
import type { AdminSettings } from './settings.js';

/** What the Admin API looks at and acts on. */
export interface AdminParts {
  api: Pick<JanusApi, 'acceptingSessions' | 'end' | 'handleVerbs'>;
  sessions: Sessions;
  plugin: SfuPlugin;
  authority: Authority;
  shards: Pick<Shards, 'count' | 'counters' | 'isWell'>;
  settings: AdminSettings;
  /** The fields of `server_info`. */
  info: () => object;
  /** The transports by their package names, each with its connections at this moment. */
  transports: ReadonlyMap<string, () => number>;
  /** Null where the server is alone. */
  cluster: AdminCluster | null;
  log: AdjustableLog;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** The fields of a verb's answer; it throws an `AdminError` to refuse. */
export type Answer = object | Promise<object>;

export type ServerVerb = (fields: Fields) => Answer;
export type SessionVerb = (session: Session, fields: Fields) => Answer;
export type HandleVerb = (handle: Handle, fields: Fields) => Answer;
