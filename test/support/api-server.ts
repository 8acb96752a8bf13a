/** The Janus API and the plugin in this process, with scripted shards, for clients that are plain objects. */
import { JanusApi } from '../../src/janus/api.js';
import { Authority } from '../../src/janus/authority.js';
import type { Connection } from '../../src/janus/connection.js';
import { Sessions } from '../../src/janus/sessions.js';
import { Attendance } from '../../src/sfu/attendance.js';
import { MemoryBlockStore } from '../../src/sfu/block-store.js';
import { Blocks } from '../../src/sfu/blocks.js';
import { Gatekeeper } from '../../src/sfu/gatekeeper.js';
import { Peers } from '../../src/sfu/peers.js';
import { SfuPlugin } from '../../src/sfu/plugin.js';
import { Presence } from '../../src/sfu/presence.js';
import { ALONE } from '../../src/sfu/room-authority.js';
import { Switchboard } from '../../src/sfu/switchboard.js';
import type { Received } from './janus-client.js';
import { ScriptedShards } from './scripted-shards.js';

export interface ApiClient extends Connection {
  readonly name: string;
  /** All that it was sent beside direct replies. */
  readonly events: Received[];
}

export function newApiClient(name: string, id: number): ApiClient {
  const events: Received[] = [];
  const send = (event: object) => {
    events.push(JSON.parse(JSON.stringify(event)));
  };
  return {
    name,
    events,
    id,
    transport: 'janus.transport.websockets',
    address: '192.0.2.1',
    loopback: false,
    room: null,
    send,
  };
}

export type ApiAccess = ConstructorParameters<typeof Authority>[0];

/** Without limits that a test would meet by its numbers alone. */
export function newApiServer(settings: ApiAccess) {
  const shards = new ScriptedShards();
  const log = () => {};
  const blocks = new Blocks(new MemoryBlockStore(), 10);
  const presence = new Presence(shards, blocks);
  const sdp = { videoCodecs: ['h264' as const], dataChannelMaxMessageSize: 262_144, subscriberData: true };
  const peers = new Peers(shards, presence, { sdp, publicIps: [], fullTrickle: false }, log);
  const switchboard = new Switchboard({ maxRoomSize: 0, maxCcu: 0, notifyScope: 'room', replyIncludesSelf: false });
  const attendance = new Attendance(() => {});
  const parts = {
    switchboard,
    attendance,
    blocks,
    presence,
    gatekeeper: new Gatekeeper(null),
    peers,
    shards,
    authority: ALONE,
    log,
  };
  const plugin = new SfuPlugin({ idBytesMax: 256, subscribeWait: 0 }, parts);
  const sessions = new Sessions({
    sessionTimeout: 0,
    reclaimTimeout: 0,
    sessionsPerConnection: 1000,
    handlesPerConnection: 1000,
    unjoinedHandlesPerConnection: 1000,
    requestsPerHandle: 100,
    eventsMax: 100,
    eventBytesMax: 100_000,
  });
  const authority = new Authority(settings);
  authority.addToken('good', ['janus.plugin.sfu']);
  authority.addToken('poor', []);
  const info = () => ({ name: 'Janus WebRTC Server' });
  const api = new JanusApi({ sessions, plugin, authority, info, opaqueIds: false, log, now: () => performance.now() });
  return { api, sessions, switchboard, attendance, presence, blocks };
}

/** Lets everything that is ready go on. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
