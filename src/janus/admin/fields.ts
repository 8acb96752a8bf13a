import { type Fields, field, isObject } from '../envelope.js';
import { JANUS_ERROR, type JanusError, missing, wrongType } from '../errors.js';

/** Thrown by a verb: what its asker is answered. */
export class AdminError extends Error {
  readonly error: JanusError;

  constructor(error: JanusError) {
    super(error.reason);
    this.error = error;
  }
}

/** A refusal that fits no other code. */
export function failed(reason: string): AdminError {
  return new AdminError({ code: JANUS_ERROR.UNKNOWN, reason });
}

/** The types of fields by the names that Janus' errors give them. */
interface Types {
  'a string': string;
  'an integer': number;
  'a positive integer': number;
  'a boolean': boolean;
  'an object': Fields;
  'an array': unknown[];
}
type TypeName = keyof Types;

const checks: { [Name in TypeName]: (value: unknown) => value is Types[Name] } = {
  'a string': (value) => typeof value === 'string',
  'an integer': (value): value is number => Number.isSafeInteger(value),
  'a positive integer': (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
  'a boolean': (value) => typeof value === 'boolean',
  'an object': isObject,
  'an array': (value) => Array.isArray(value),
};

/**
 * A field that a verb needs.
 *
 * @throws AdminError with 456 where it is missing, 467 where it is of another type
 */
export function required<Name extends TypeName>(fields: Fields, name: string, type: Name): Types[Name] {
  const value = field(fields, name);
  if (value === undefined) throw new AdminError(missing(name));
  const is: (value: unknown) => value is Types[Name] = checks[type];
  if (!is(value)) throw new AdminError(wrongType(name, type));
  return value;
}

/**
 * A field that may be absent.
 *
 * @throws AdminError with 467 where it is of another type
 */
export function optional<Name extends TypeName>(fields: Fields, name: string, type: Name): Types[Name] | undefined {
  return field(fields, name) === undefined ? undefined : required(fields, name, type);
}
