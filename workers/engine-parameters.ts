/** What was negotiated, as the packet engine's exports take it. */
import * as layout from '../assembly/layout.js';
import type { Codec, HeaderExtensions } from './protocol.js';

export const CODEC_NUMBERS: Record<Codec, number> = {
  opus: layout.CODEC_OPUS,
  h264: layout.CODEC_H264,
  vp8: layout.CODEC_VP8,
  vp9: layout.CODEC_VP9,
  av1: layout.CODEC_AV1,
};

/** In place of a payload type that was not negotiated. */
export const NO_PAYLOAD_TYPE = 255;

/** Ids by EXTENSION_ index, one byte each, 0: not negotiated. */
export function packExtensionIds(extensions: HeaderExtensions): number {
  return (
    ((extensions.audioLevel ?? 0) << (8 * layout.EXTENSION_AUDIO_LEVEL)) |
    ((extensions.absSendTime ?? 0) << (8 * layout.EXTENSION_ABS_SEND_TIME)) |
    ((extensions.videoOrientation ?? 0) << (8 * layout.EXTENSION_VIDEO_ORIENTATION)) |
    ((extensions.playoutDelay ?? 0) << (8 * layout.EXTENSION_PLAYOUT_DELAY))
  );
}
