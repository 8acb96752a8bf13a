import type { ErrorReply, JanusError } from './wire.js';

/** Error codes of the Janus API, those that we use (janus.h of the reference). */
export const JANUS_ERROR = {
  UNAUTHORIZED: 403,
  UNAUTHORIZED_PLUGIN: 405,
  TRANSPORT_SPECIFIC: 450,
  UNKNOWN_REQUEST: 453,
  INVALID_JSON: 454,
  INVALID_JSON_OBJECT: 455,
  MISSING_MANDATORY_ELEMENT: 456,
  INVALID_REQUEST_PATH: 457,
  SESSION_NOT_FOUND: 458,
  HANDLE_NOT_FOUND: 459,
  PLUGIN_NOT_FOUND: 460,
  PLUGIN_ATTACH: 461,
  PLUGIN_MESSAGE: 462,
  JSEP_UNKNOWN_TYPE: 464,
  JSEP_INVALID_SDP: 465,
  INVALID_ELEMENT_TYPE: 467,
  SESSION_CONFLICT: 468,
  UNEXPECTED_ANSWER: 469,
  TOKEN_NOT_FOUND: 470,
  NOT_ACCEPTING_SESSIONS: 472,
  UNKNOWN: 490,
} as const;

/** All of them, for counting. */
export const ERROR_CODES: readonly number[] = Object.values(JANUS_ERROR);

export type { JanusError };

export const UNAUTHORIZED: JanusError = {
  code: JANUS_ERROR.UNAUTHORIZED,
  reason: 'Unauthorized request (wrong or missing secret/token)',
};

export function missing(element: string): JanusError {
  return { code: JANUS_ERROR.MISSING_MANDATORY_ELEMENT, reason: `Missing mandatory element (${element})` };
}

/** UTF-16 units; the reference server cuts its texts here too. */
const REASON_MAX = 511;

/** A text that may have something of the client's in it, cut to the length of an error's. */
export function cutReason(text: string): string {
  return text.length <= REASON_MAX ? text : text.slice(0, REASON_MAX).replace(/[\ud800-\udbff]$/, '');
}

/** @param type `a string`, `a positive integer`, `an object`, … */
export function wrongType(element: string, type: string): JanusError {
  return { code: JANUS_ERROR.INVALID_ELEMENT_TYPE, reason: `Invalid element type (${element} should be ${type})` };
}

/** An error names the session that the request claimed, whether it exists or not; no session is 0. */
export function errorReply(error: JanusError, request: { sessionId?: number; transaction?: string }): ErrorReply {
  return {
    janus: 'error',
    ...(request.sessionId ? { session_id: request.sessionId } : {}),
    ...(request.transaction === undefined ? {} : { transaction: request.transaction }),
    error: { code: error.code, reason: cutReason(error.reason) },
  };
}
