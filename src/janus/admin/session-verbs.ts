import { noSuchHandle } from '../sessions.js';
import { AdminError, failed, optional } from './fields.js';
import { describeHandle } from './handle-info.js';
import type { AdminParts, HandleVerb, SessionVerb } from './parts.js';
import { sessionTime } from './setting-verbs.js';

/** The verbs that are addressed to a session. */
export function sessionVerbs({ api }: AdminParts): Record<string, SessionVerb> {
  return {
    list_handles: (session) => ({ handles: [...session.handles.keys()] }),
    destroy_session: async (session) => {
      await api.end(session);
      return {};
    },
    set_session_timeout: (session, fields) => {
      const seconds = sessionTime(fields, 'timeout');
      session.timeout = seconds === null ? null : seconds * 1000;
      return { timeout: seconds ?? -1 };
    },
  };
}

const NO_CAPTURE = 'This server writes no captures: use a packet capture of the machine.';

/** The verbs that are addressed to a handle. */
export function handleVerbs(parts: AdminParts): Record<string, HandleVerb> {
  const { api, plugin } = parts;
  const refuseCapture: HandleVerb = () => {
    throw failed(NO_CAPTURE);
  };
  return {
    handle_info: async (handle, fields) => {
      const pluginOnly = optional(fields, 'plugin_only', 'a boolean') ?? false;
      return { handle_id: handle.id, info: await describeHandle(parts, handle, pluginOnly) };
    },
    detach_handle: async ({ id, session, plugin: sfuHandle }) => {
      if (!sfuHandle) throw new AdminError(noSuchHandle(id, session));
      await plugin.detach(sfuHandle);
      sfuHandle.sink.detached();
      return {};
    },
    hangup_webrtc: async (handle) => {
      await api.handleVerbs.hangup(handle, 'Admin API');
      return {};
    },
    start_pcap: refuseCapture,
    stop_pcap: refuseCapture,
    start_text2pcap: refuseCapture,
    stop_text2pcap: refuseCapture,
  };
}
