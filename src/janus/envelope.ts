import { cutReason, type JanusError, missing, wrongType } from './errors.js';

/** The part of a request that all verbs share. Ids are 0 when absent or unusable, as Janus takes them. */
export interface Envelope {
  /** In lower case: verbs are compared without regard to case. */
  verb: string;
  /** As the client wrote it, cut to a length fit for an error text. */
  verbText: string;
  transaction: string;
  sessionId: number;
  handleId: number;
  /** Whether `handle_id` was there at all: then 0 means a wrong one. */
  handleGiven: boolean;
  /** The id that a `create` asks for; 0 = none. */
  wantedId: number;
  /** All root fields; read own properties only. */
  fields: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

export type ReadEnvelope = { ok: true; envelope: Envelope } | { ok: false; error: JanusError; sessionId: number };

/** An own property; nothing that an object inherits is part of a request. */
export function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where integers end: what is beyond was written as a real number (`1e30`), or parseJson would have refused it. */
const INTEGERS_END = 2 ** 63;

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < INTEGERS_END;
}

/** Checks 2 to 4 of the API's order (janus-api.md 3.3): transaction, verb, `id`. Never throws. */
export function readEnvelope(document: unknown): ReadEnvelope {
  const fields = isObject(document) ? document : {};
  const session = field(fields, 'session_id');
  const sessionId = isId(session) ? session : 0;
  const fail = (error: JanusError): ReadEnvelope => ({ ok: false, error, sessionId });
  const transaction = field(fields, 'transaction');
  if (transaction === undefined) return fail(missing('transaction'));
  if (typeof transaction !== 'string') return fail(wrongType('transaction', 'a string'));
  const verb = field(fields, 'janus');
  if (verb === undefined) return fail(missing('janus'));
  if (typeof verb !== 'string') return fail(wrongType('janus', 'a string'));
  const given = field(fields, 'id');
  const id = given === undefined ? 0 : given;
  if (!isId(id) || id < 0 || !Number.isSafeInteger(id)) return fail(wrongType('id', 'a positive integer'));
  const handle = field(fields, 'handle_id') ?? null;
  const envelope: Envelope = {
    verb: verb.toLowerCase(),
    verbText: cutReason(verb),
    transaction,
    sessionId,
    handleId: isId(handle) ? handle : 0,
    handleGiven: handle !== null,
    wantedId: id,
    fields,
  };
  return { ok: true, envelope };
}
