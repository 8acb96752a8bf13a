/** A handle of the plugin, just attached, whose client listens to nothing. */
import { type HandleSink, newHandle, type SfuHandle } from '../../src/sfu/handle.js';

const SINK: HandleSink = {
  event: () => {},
  webrtcup: () => {},
  media: () => {},
  slowlink: () => {},
  hangup: () => {},
  detached: () => {},
};

export function quietHandle(number: number): SfuHandle {
  return newHandle(number, SINK, { session: {}, loopback: true, sdpSession: '1', room: null, loopIndex: null });
}
