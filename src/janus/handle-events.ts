import type { EventData, HandleSink, LocalJsep, Trickle } from '../sfu/handle.js';
import { PLUGIN } from '../sfu/plugin.js';
import type { Handle } from './sessions.js';

/** Writes the events of handles (janus-api.md 2). All name the session and, as `sender`, the handle. */
export class HandleEvents {
  readonly #tell: (handle: Handle, event: object) => void;
  readonly #opaqueIds: boolean;

  /**
   * @param tell brings an event to the client of the handle's session
   * @param opaqueIds whether events say the handle's `opaque_id`
   */
  constructor(tell: (handle: Handle, event: object) => void, opaqueIds: boolean) {
    this.#tell = tell;
    this.#opaqueIds = opaqueIds;
  }

  /** Tells a plugin's event; with a transaction it answers that request. */
  plugin(handle: Handle, data: EventData, jsep?: LocalJsep, transaction?: string): void {
    this.#say(
      handle,
      { janus: 'event', session_id: handle.session.id, ...(transaction === undefined ? {} : { transaction }) },
      { plugindata: { plugin: PLUGIN, data }, ...(jsep ? { jsep: { type: jsep.type, sdp: jsep.sdp } } : {}) },
    );
    // After the description: a client that does not keep early candidates can use them at once.
    if (jsep?.trickle) this.#trickle(handle, jsep.trickle);
  }

  /** Where the plugin tells what happens to a handle. */
  sink(handle: Handle): HandleSink {
    const { session } = handle;
    const say = (janus: string, fields: object = {}) => this.#say(handle, { janus, session_id: session.id }, fields);
    return {
      event: (data, jsep) => this.plugin(handle, data, jsep),
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

  #trickle(handle: Handle, { mid, candidates }: Trickle): void {
    const head = { janus: 'trickle', session_id: handle.session.id };
    for (const candidate of candidates) {
      const line = mid === '' ? { sdpMLineIndex: 0 } : { sdpMid: mid, sdpMLineIndex: 0 };
      this.#say(handle, head, { candidate: { ...line, candidate } });
    }
    this.#say(handle, head, { candidate: { completed: true } });
  }

  #say(handle: Handle, head: object, rest: object): void {
    const opaque = this.#opaqueIds && handle.opaqueId !== null ? { opaque_id: handle.opaqueId } : {};
    this.#tell(handle, { ...head, sender: handle.id, ...opaque, ...rest });
  }
}
