import { Counts } from '../observability/counts.js';
import type { Log } from '../observability/log.js';
import { SDP_LIMITS, type SdpLimits } from '../sdp/intake.js';
import { parseDescription } from '../sdp/parse.js';
import { PROCESSING_ERROR } from '../sdp/transport.js';
import type { SfuHandle } from '../sfu/handle.js';
import type { RemoteJsep, SfuPlugin } from '../sfu/plugin.js';
import { checkMessage, checkTrickle, endsCandidates, type JsepRequest } from './checks.js';
import { JANUS_ERROR, type JanusError } from './errors.js';
import type { HandleEvents } from './handle-events.js';
import { type Request, refuse } from './request.js';
import { type Handle, noSuchHandle } from './sessions.js';
import type { SuccessReply } from './wire.js';

export interface HandleVerbsParts {
  plugin: SfuPlugin;
  events: HandleEvents;
  /** Most that a client's description may have. */
  sdpLimits?: SdpLimits;
  log: Log;
}

/** Whether offer and answer of the handle's PeerConnection have been seen (janus-api.md 1.3, early trickle). */
function isNegotiated({ peer }: SfuHandle): boolean {
  return peer !== null && (peer.role === 'publisher' || peer.answered !== null);
}

/** The verbs that are addressed to a handle: `message`, `trickle`, `hangup`, `detach` (janus-api.md 1.3). */
export class HandleVerbs {
  readonly #parts: HandleVerbsParts;
  /** Requests that came while too many waited on their handle. */
  refused = 0;
  /** Descriptions that were refused, by the limit that they were beyond. */
  readonly descriptionsRefused = new Counts(['bytes', 'lines', 'media', 'candidates', 'invalid']);

  constructor(parts: HandleVerbsParts) {
    this.#parts = parts;
  }

  has(verb: string): boolean {
    return verb === 'message' || verb === 'trickle' || verb === 'hangup' || verb === 'detach';
  }

  /**
   * Requests of a handle run one after the other; one that ends what another waits for lets it end early.
   *
   * @returns the error to answer with, if it comes to one at once; else the request is answered here
   */
  enqueue(request: Request, handle: Handle): JanusError | null {
    const { verb } = request.envelope;
    const interrupted = verb === 'detach' || verb === 'hangup' ? handle.plugin : null;
    if (interrupted) this.#parts.plugin.interrupt(interrupted);
    const queued = handle.queue.push(async () => {
      if (interrupted) this.#parts.plugin.resume(interrupted);
      const { plugin, session } = handle;
      // A request before this one, or a kick, may have ended the handle.
      if (!plugin || plugin.gone || !session.handles.has(handle.id)) {
        refuse(request, noSuchHandle(handle.id, session));
        return;
      }
      try {
        const error = await this.#run(request, handle);
        if (!error) return;
        plugin.errors.add(`${error.code} ${error.reason}`);
        refuse(request, error);
      } catch (error) {
        this.#parts.log('error', 'a request failed', { verb, error: String(error) });
        const reason = 'The server failed to process this request; its log says why.';
        refuse(request, { code: JANUS_ERROR.UNKNOWN, reason });
      }
    });
    if (queued) return null;
    if (interrupted) this.#parts.plugin.resume(interrupted);
    this.refused += 1;
    return { code: JANUS_ERROR.UNKNOWN, reason: 'Too many requests wait on this handle; send fewer at once.' };
  }

  async #run(request: Request, handle: Handle): Promise<JanusError | null> {
    const { session } = handle;
    const { verb, transaction, fields } = request.envelope;
    const sfuHandle = handle.plugin;
    if (!sfuHandle) return noSuchHandle(handle.id, session);
    const success: SuccessReply = { janus: 'success', session_id: session.id, transaction };
    switch (verb) {
      case 'trickle': {
        const error = checkTrickle(fields, isNegotiated(sfuHandle));
        if (error) return error;
        handle.trickled = endsCandidates(fields) ? 'all' : 'some';
        request.reply({ janus: 'ack', session_id: session.id, transaction });
        return null;
      }
      case 'hangup':
        request.reply(success);
        await this.hangup(handle, 'Janus API');
        return null;
      case 'detach':
        request.reply(success);
        await this.#end(sfuHandle);
        return null;
      default:
        return this.#message(request, handle);
    }
  }

  /** Ends the handle's PeerConnection, if it has one, and says so to its client with this reason. */
  async hangup({ plugin: sfuHandle }: Handle, reason: string): Promise<void> {
    if (sfuHandle && (await this.#parts.plugin.hangup(sfuHandle)) && !sfuHandle.gone) sfuHandle.sink.hangup(reason);
  }

  async #message(request: Request, handle: Handle): Promise<JanusError | null> {
    const { session, plugin: sfuHandle } = handle;
    if (!sfuHandle) return noSuchHandle(handle.id, session);
    const checked = checkMessage(request.envelope.fields);
    if (!checked.ok) return checked.error;
    const { body, jsep: requested } = checked.value;
    const jsep = requested && this.#readJsep(sfuHandle, requested);
    if (jsep && 'code' in jsep) return jsep;
    const refusal = jsep && this.#parts.plugin.checkJsep(sfuHandle, jsep);
    if (refusal) return refusal;
    if (requested?.e2ee) handle.e2ee = true;
    const { transaction } = request.envelope;
    request.reply({ janus: 'ack', session_id: session.id, transaction, hint: 'Processing.' });
    const answer = await this.#parts.plugin.message(sfuHandle, body, jsep);
    if (!sfuHandle.gone) this.#parts.events.plugin(handle, answer.data, answer.jsep, transaction);
    if (answer.last) await this.#end(sfuHandle);
    return null;
  }

  async #end(sfuHandle: SfuHandle): Promise<void> {
    await this.#parts.plugin.detach(sfuHandle);
    sfuHandle.sink.detached();
  }

  #readJsep(handle: SfuHandle, { type, sdp }: JsepRequest): RemoteJsep | JanusError {
    const parsed = parseDescription(sdp, this.#parts.sdpLimits ?? SDP_LIMITS);
    if (parsed.ok) return { type, description: parsed.description };
    this.descriptionsRefused.add(parsed.bound ?? 'invalid');
    // What an answer that nobody waits for lacks is not looked at; but it must be SDP.
    const unexpected = parsed.reason.startsWith(PROCESSING_ERROR) ? this.#parts.plugin.checkType(handle, type) : null;
    return unexpected ?? { code: parsed.code, reason: parsed.reason };
  }
}
