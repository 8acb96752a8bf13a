import { callTarget } from './call.js';
import { configTarget } from './config.js';
import { envelopeTarget } from './envelope.js';
import { messageTarget } from './message.js';
import { rtcpTarget } from './rtcp.js';
import { rtpTarget } from './rtp.js';
import { sdpTarget } from './sdp.js';
import type { Target } from './target.js';
import { tokenTarget } from './token.js';

/** All that can be fuzzed. */
export const TARGETS: readonly Target[] = [
  rtpTarget,
  rtcpTarget,
  callTarget,
  sdpTarget,
  envelopeTarget,
  messageTarget,
  tokenTarget,
  configTarget,
];
