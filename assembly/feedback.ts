/** Feedback to publishers: requests for a keyframe (RFC 4585 6.3.1, RFC 5104 4.3.1) and the bitrate we can take (REMB). */
import { REPORTER_SSRC } from './layout';
import { PAYLOAD_FEEDBACK } from './rtcp-reader';
import { openFeedback, outboxLength, putHeader, putU32 } from './rtcp-writer';
import { findUpTrack } from './up-tracks';

const PICTURE_LOSS: u32 = 1;
const FULL_INTRA: u32 = 4;
const APPLICATION: u32 = 15;

/** draft-alvestrand-rmcat-remb-03 2.2: the bitrate as an 18-bit mantissa and a 6-bit exponent, rounded down. */
export function putReceiverEstimate(ssrc: u32, bitrate: u32): void {
  let exponent: u32 = 0;
  let mantissa = bitrate;
  while (mantissa > 0x3ffff) {
    mantissa >>= 1;
    exponent++;
  }
  putHeader(APPLICATION, PAYLOAD_FEEDBACK, 24);
  putU32(REPORTER_SSRC);
  putU32(0);
  putU32(0x52454d42);
  putU32((1 << 24) | (exponent << 18) | mantissa);
  putU32(ssrc);
}

/**
 * A compound packet: an empty RR, SDES, then the request.
 *
 * @param fir true: FIR, a new command each time; false: PLI
 * @returns the length in the outbox; 0 while nothing is negotiated, or no packet came and no SSRC was declared
 */
export function keyframeRequest(upIndex: i32, fir: bool): i32 {
  const up = findUpTrack(upIndex);
  if (up === null || !up.configured) return 0;
  const ssrc = up.hasSource ? up.ssrc : up.declaredSsrc;
  if (ssrc == 0) return 0;
  up.keyframeRequests++;
  openFeedback();
  if (fir) {
    putHeader(FULL_INTRA, PAYLOAD_FEEDBACK, 20);
    putU32(REPORTER_SSRC);
    // RFC 5104 4.3.1.2 has 0 here, and receivers ignore it; but some stacks route RTCP to a track by this field.
    putU32(ssrc);
    putU32(ssrc);
    putU32((<u32>up.firSequence) << 24);
    up.firSequence++;
  } else {
    putHeader(PICTURE_LOSS, PAYLOAD_FEEDBACK, 12);
    putU32(REPORTER_SSRC);
    putU32(ssrc);
  }
  return outboxLength();
}
