import { PLUGIN } from '../../sfu/plugin.js';
import type { Fields } from '../envelope.js';
import { field } from '../envelope.js';
import { JANUS_ERROR } from '../errors.js';
import { AdminError, failed, optional, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';
import { Resolver } from './resolver.js';
import { describeRooms } from './rooms.js';
import { LOG_LEVEL_MAX, logLevelOf } from './settings.js';

const LOG_LEVEL_INFO = 4;
/** Longest text of an external event in the log. */
const EVENT_LENGTH_MAX = 1000;

function notFound(reason: string): AdminError {
  return new AdminError({ code: JANUS_ERROR.PLUGIN_NOT_FOUND, reason });
}

/** The answer of a transport to `query_transport`: Janus' transports have error codes of their own. */
function queryTransport(request: Fields, connections: () => number): object {
  const wanted = field(request, 'request');
  if (wanted === undefined) return { error_code: 412, error: 'Missing element (request)' };
  if (typeof wanted !== 'string')
    return { error_code: 413, error: 'Invalid element type (request should be a string)' };
  if (wanted === 'connections') return { result: 200, connections: connections() };
  if (wanted === 'configure') return { error_code: 411, error: 'This transport is configured when the server starts' };
  return { error_code: 411, error: `Unknown request '${wanted.slice(0, 100)}'` };
}

/** The answer of our plugin to `message_plugin`. */
function messagePlugin(parts: AdminParts, request: Fields): object {
  const wanted = optional(request, 'request', 'a string');
  switch (wanted) {
    case undefined:
      return parts.plugin.inspection.totals();
    case 'list_rooms':
      return { rooms: describeRooms(parts, optional(request, 'room_id', 'a string')) };
    default:
      return { error: { msg: `The field request should be list_rooms (got ${JSON.stringify(wanted.slice(0, 40))}).` } };
  }
}

/** Packets dropped so far by reason, such as `waiting-for-keyframe`; reasons that never came are left out. */
function dropsOf(counters: Record<string, number>): Record<string, number> {
  const dropped = Object.entries(counters).filter(([name, count]) => /^dropped[A-Z]/.test(name) && count > 0);
  const reasonOf = (name: string) =>
    name
      .slice('dropped'.length)
      .replace(/(?<!^)[A-Z]/g, '-$&')
      .toLowerCase();
  return Object.fromEntries(dropped.map(([name, count]) => [reasonOf(name), count]));
}

/** The verbs about the server as a whole, but its settings and tokens. */
export function serverVerbs(parts: AdminParts): Record<string, ServerVerb> {
  const { sessions, plugin, shards, transports, log } = parts;
  const resolver = new Resolver();
  return {
    list_sessions: () => ({ sessions: sessions.all().map(({ id }) => id) }),
    list_rooms: (fields) => ({ rooms: describeRooms(parts, optional(fields, 'room_id', 'a string')) }),
    kick: async (fields) => {
      const room = required(fields, 'room_id', 'a string');
      const user = required(fields, 'user_id', 'a string');
      const handles = await plugin.evict(room, user);
      if (handles === 0) throw failed('There is no such user in this room.');
      return { handles };
    },
    message_plugin: (fields) => {
      const [name, request] = [required(fields, 'plugin', 'a string'), optional(fields, 'request', 'an object')];
      if (name !== PLUGIN) throw notFound('Invalid plugin');
      return { response: messagePlugin(parts, request ?? {}) };
    },
    query_transport: (fields) => {
      const [name, request] = [required(fields, 'transport', 'a string'), optional(fields, 'request', 'an object')];
      const connections = transports.get(name);
      if (!connections) throw notFound('Invalid transport');
      return { response: queryTransport(request ?? {}, connections) };
    },
    query_eventhandler: (fields) => {
      required(fields, 'handler', 'a string');
      optional(fields, 'request', 'an object');
      throw notFound('Invalid event handler');
    },
    query_logger: (fields) => {
      required(fields, 'logger', 'a string');
      optional(fields, 'request', 'an object');
      throw notFound('Invalid logger');
    },
    custom_event: (fields) => {
      const schema = required(fields, 'schema', 'a string');
      const data = JSON.stringify(required(fields, 'data', 'an object')).slice(0, EVENT_LENGTH_MAX);
      log('info', 'external event', { schema, data });
      return {};
    },
    custom_logline: (fields) => {
      const line = required(fields, 'line', 'a string');
      const number = optional(fields, 'level', 'a positive integer') ?? LOG_LEVEL_INFO;
      const level = logLevelOf(number > LOG_LEVEL_MAX ? LOG_LEVEL_INFO : number);
      if (level !== 'silent') log(level, 'custom line', { line });
      return {};
    },
    resolve_address: async (fields) => {
      const address = required(fields, 'address', 'a string');
      const start = parts.now();
      const resolved = await resolver.resolve(address);
      if (!resolved.ok) throw failed(`Could not resolve address: ${resolved.reason}`);
      return { ip: resolved.address, elapsed: Math.round((parts.now() - start) * 1000) };
    },
    test_stun: (fields) => {
      required(fields, 'address', 'a string');
      required(fields, 'port', 'a positive integer');
      throw failed('This server uses no STUN: set PUBLIC_IP where its own addresses are not those that clients reach.');
    },
    loops_info: () => ({
      loops: Array.from({ length: shards.count }, (_, id) => {
        const counters = shards.counters(id);
        return {
          id,
          handles: counters.peers ?? 0,
          running: shards.isWell(id),
          'loop-delay': Math.round(counters.loopDelayMicros ?? 0),
          'packets-received': counters.packetsReceived ?? 0,
          'packets-sent': counters.packetsSent ?? 0,
          'packets-unsent': counters.packetsUnsent ?? 0,
          'up-tracks': counters.upTracks ?? 0,
          'down-tracks': counters.downTracks ?? 0,
          faults: counters.faults ?? 0,
          'bytes-received': counters.bytesReceived ?? 0,
          'bytes-sent': counters.bytesForwarded ?? 0,
          drops: dropsOf(counters),
        };
      }),
    }),
  };
}
