import type { HandleSink, LocalJsep, Trickle } from '../sfu/handle.js';
import { PLUGIN } from '../sfu/plugin.js';
import type { EventData } from '../sfu/wire.js';
import type { Handle } from './sessions.js';
import type { HandleEvent } from './wire.js';

/** Writes the events of handles (janus-api.md 2). All name the session and, as `sender`, the handle. */
export class HandleEvents {
  readonly #tell: (handle: Handle, event: HandleEvent) => void;
  readonly #opaqueIds: boolean;

  /**
   * @param tell brings an event to the client of the handle's session
   * @param opaqueIds whether events say the handle's `opaque_id`
   */
  constructor(tell: (handle: Handle, event: HandleEvent) => void, opaqueIds: boolean) {
    this.#tell = tell;
    this.#opaqueIds = opaqueIds;
  }

  /** Tells a plugin's event; with a transaction it answers that request. */
  plugin(handle: Handle, data: EventData, jsep?: LocalJsep, transaction?: string): void {
    const { session_id, ...from } = this.#from(handle);
    this.#tell(handle, {
      janus: 'event',
      session_id,
      ...(transaction === undefined ? {} : { transaction }),
      ...from,
      plugindata: { plugin: PLUGIN, data },
      ...(jsep ? { jsep: { type: jsep.type, sdp: jsep.sdp, ...(handle.e2ee && { e2ee: true }) } } : {}),
    });
    // After the description: a client that does not keep early candidates can use them at once.
    if (jsep?.trickle) this.#trickle(handle, jsep.trickle);
  }

  /** Where the plugin tells what happens to a handle. */
  sink(handle: Handle): HandleSink {
    const from = () => this.#from(handle);
    return {
      event: (data, jsep) => this.plugin(handle, data, jsep),
      webrtcup: () => this.#tell(handle, { janus: 'webrtcup', ...from() }),
      media: (mid, type, receiving) => this.#tell(handle, { janus: 'media', ...from(), mid, type, receiving }),
      slowlink: (mid, media, uplink, lost) =>
        this.#tell(handle, { janus: 'slowlink', ...from(), mid, media, uplink, lost }),
      hangup: (reason) => {
        handle.e2ee = false;
        handle.trickled = 'nothing';
        this.#tell(handle, { janus: 'hangup', ...from(), reason });
      },
      detached: () => {
        // Once: a kick and the client's own detach may meet.
        if (handle.session.handles.delete(handle.id)) this.#tell(handle, { janus: 'detached', ...from() });
      },
    };
  }

  #trickle(handle: Handle, { mid, candidates }: Trickle): void {
    for (const candidate of candidates) {
      const line = mid === '' ? { sdpMLineIndex: 0 } : { sdpMid: mid, sdpMLineIndex: 0 };
      this.#tell(handle, { janus: 'trickle', ...this.#from(handle), candidate: { ...line, candidate } });
    }
    this.#tell(handle, { janus: 'trickle', ...this.#from(handle), candidate: { completed: true } });
  }

  /** What all events of a handle say of where they come from. */
  #from({ id, session, opaqueId }: Handle): { session_id: number; sender: number; opaque_id?: string } {
    const opaque = this.#opaqueIds && opaqueId !== null ? { opaque_id: opaqueId } : {};
    return { session_id: session.id, sender: id, ...opaque };
  }
}
