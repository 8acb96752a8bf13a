import type { EventData, HandleSink, Jsep } from '../sfu/handle.js';
import { PLUGIN } from '../sfu/plugin.js';
import type { Handle } from './sessions.js';

/** The `event` of a handle; with a transaction it answers that request. */
export function pluginEvent(handle: Handle, data: EventData, jsep?: Jsep, transaction?: string): object {
  return {
    janus: 'event',
    session_id: handle.session.id,
    ...(transaction === undefined ? {} : { transaction }),
    sender: handle.id,
    plugindata: { plugin: PLUGIN, data },
    ...(jsep ? { jsep } : {}),
  };
}

/** Writes what happens to a handle as Janus' events (janus-api.md 2), to the connection that owns its session. */
export function handleSink(handle: Handle): HandleSink {
  const { session } = handle;
  const say = (janus: string, fields: object = {}) =>
    session.owner?.send({ janus, session_id: session.id, sender: handle.id, ...fields });
  return {
    event: (data, jsep) => session.owner?.send(pluginEvent(handle, data, jsep)),
    webrtcup: () => say('webrtcup'),
    media: (mid, type, receiving) => say('media', { mid, type, receiving }),
    slowlink: (mid, media, uplink, lost) => say('slowlink', { mid, media, uplink, lost }),
    hangup: (reason) => say('hangup', { reason }),
    detached: () => {
      // Once: a kick and the client's own detach may meet.
      if (session.handles.delete(handle.id)) say('detached');
    },
  };
}
