import type { HandleDescription, StreamDescription } from '../../../workers/protocol.js';
import type { SfuHandle } from '../../sfu/handle.js';
import type { HandleView } from '../../sfu/inspection.js';
import { PLUGIN } from '../../sfu/plugin.js';
import type { Handle } from '../sessions.js';
import type { AdminParts } from './parts.js';
import { describeWebrtc } from './webrtc-info.js';

/** Times of `handle_info` are microseconds of the monotonic clock. */
const microseconds = (milliseconds: number): number => Math.round(milliseconds * 1000);

/** One stream as the packet engine counts it, by names like those of all of `plugin_specific`. */
function describeStream({ roundTripTime, keyframeRequests, ...stream }: StreamDescription): object {
  return { ...stream, round_trip_time: roundTripTime, keyframe_requests: keyframeRequests };
}

/** What the plugin says of the handle: `plugin_specific`. */
function pluginSpecific(view: HandleView, description: HandleDescription | null): object {
  const { room, user, kind, source, subscribers, shard, errors } = view;
  return {
    ...(room === null ? {} : { room_id: room }),
    ...(user === null ? {} : { user_id: user }),
    ...(kind === null ? {} : { kind }),
    ...(source === null ? {} : { source }),
    ...(kind === 'publisher' ? { subscribers } : {}),
    ...(shard === null ? {} : { shard }),
    streams: description?.streams.map(describeStream) ?? [],
    errors: errors.map(({ at, reason }) => ({ time: new Date(at).toISOString(), reason })),
  };
}

/** Janus' flags. Those about work that this server never has under way are false. */
function flagsOf(handle: Handle, { peer, gone }: SfuHandle, description: HandleDescription | null): object {
  const publisher = peer?.role === 'publisher' ? peer : null;
  const subscriber = peer?.role === 'subscriber' ? peer : null;
  const negotiated = publisher !== null || (subscriber !== null && !subscriber.awaitsAnswer);
  const ready = description?.peer?.connected ?? false;
  const kinds = publisher?.plan.tracks.map(({ kind }) => kind) ?? subscriber?.answered?.kinds ?? [];
  return {
    'got-offer': peer !== null,
    'got-answer': negotiated,
    negotiated,
    'processing-offer': subscriber !== null && subscriber.local === null,
    starting: negotiated && !ready,
    'ice-restart': false,
    ready,
    stopped: gone,
    alert: peer === null,
    trickle: handle.trickled !== 'nothing',
    'all-trickles': handle.trickled === 'all',
    'resend-trickles': false,
    'trickle-synced': handle.trickled === 'all',
    'data-channels': publisher?.plan.data ?? subscriber?.answered?.data ?? false,
    'has-audio': kinds.includes('audio'),
    'has-video': kinds.includes('video'),
    'new-datachan-sdp':
      publisher?.plan.lines.some((line) => line.use === 'data' && !line.oldStyle) ?? subscriber !== null,
    'rfc4588-rtx': publisher?.plan.tracks.some((track) => track.rtxPayloadType !== null) ?? subscriber?.rtx ?? false,
    cleaning: gone,
    e2ee: handle.e2ee,
  };
}

/** When the PeerConnection began, and our part in it (RFC 8445): who offers, controls. */
function agent({ peer }: SfuHandle, description: HandleDescription | null, now: number): object {
  if (!peer) return {};
  const native = description?.peer;
  return {
    ...(native ? { 'agent-created': microseconds(now - native.age) } : {}),
    'ice-mode': 'full',
    'ice-role': peer.role === 'publisher' ? 'controlled' : 'controlling',
  };
}

/** What of the session descriptions is kept: the first media line's transport. They hold ICE passwords, and are not. */
function profileOf({ peer }: SfuHandle): object {
  if (peer?.role === 'subscriber') return { profile: 'UDP/TLS/RTP/SAVPF' };
  const line = peer?.plan.lines.find(({ use }) => use === 'media');
  return line?.use === 'media' ? { profile: line.protocol } : {};
}

/**
 * The `info` of `handle_info`.
 *
 * @param pluginOnly whether it ends with what the plugin says
 */
export async function describeHandle(parts: AdminParts, handle: Handle, pluginOnly: boolean): Promise<object> {
  const { plugin, shards, settings, now } = parts;
  const { session, plugin: sfuHandle } = handle;
  const described = sfuHandle && (await plugin.inspection.describe(sfuHandle));
  const description = described === 'late' ? null : described;
  const view = sfuHandle && plugin.inspection.handle(sfuHandle);
  const shard = view?.shard ?? null;
  const time = now();
  const general = {
    session_id: session.id,
    session_last_activity: microseconds(session.lastActivity),
    session_timeout: session.timeout === null ? settings.sessionTimeout : session.timeout / 1000,
    ...(session.owner ? { session_transport: session.owner.transport } : {}),
    handle_id: handle.id,
    ...(handle.opaqueId === null ? {} : { opaque_id: handle.opaqueId }),
    ...(handle.token === null ? {} : { token: handle.token }),
    'loop-running': described !== 'late' && (shard === null || shards.isWell(shard)),
    created: microseconds(handle.createdAt),
    current_time: microseconds(time),
    plugin: PLUGIN,
    plugin_specific: view ? pluginSpecific(view, description) : {},
  };
  if (pluginOnly || !sfuHandle) return general;
  const webrtc = description && describeWebrtc(sfuHandle, description);
  return {
    ...general,
    flags: flagsOf(handle, sfuHandle, description),
    ...agent(sfuHandle, description, time),
    sdps: profileOf(sfuHandle),
    'queued-packets': 0,
    ...(webrtc ? { webrtc } : {}),
  };
}
