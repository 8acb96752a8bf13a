import { z } from 'zod';

/** What the plugin takes as the body of a Janus `message` (signalling-api.md); null of an optional field = absent. */

const utf8 = new TextEncoder();

/** What a message may ask for. */
export const KINDS = ['join', 'subscribe', 'kick', 'block', 'unblock', 'data'] as const;

/** Describes a wrong value the way JSON calls it. */
function nameOf(value: unknown): string {
  if (value === undefined) return 'it is missing';
  if (value === null) return 'got null';
  if (Array.isArray(value)) return 'got an array';
  if (typeof value === 'object') return 'got an object';
  if (typeof value === 'string') return 'got a string';
  return `got a ${typeof value}`;
}

const expected = (what: string) => ({
  error: (issue: { input?: unknown }) => `should be ${what} (${nameOf(issue.input)})`,
});

const flag = z.boolean(expected('a boolean')).nullish();
const text = z.string(expected('a string'));

function unionFor(idBytesMax: number) {
  const id = z.string(expected('a string')).refine((value) => utf8.encode(value).length <= idBytesMax, {
    error: `should be at most ${idBytesMax} bytes of UTF-8`,
  });
  const subscription = z.object(
    { notifications: flag, talking: flag, data: flag, media: id.nullish() },
    expected('an object'),
  );
  return z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('join'),
      room_id: id,
      user_id: id,
      subscribe: subscription.nullish(),
      token: text.nullish(),
    }),
    z.object({ kind: z.literal('subscribe'), what: subscription, token: text.nullish() }),
    z.object({ kind: z.literal('kick'), room_id: id, user_id: id, token: text.nullish() }),
    z.object({ kind: z.literal('block'), whom: id }),
    z.object({ kind: z.literal('unblock'), whom: id }),
    z.object({ kind: z.literal('data'), whom: id.nullish(), body: text }),
  ]);
}

export type Message = z.infer<ReturnType<typeof unionFor>>;
export type JoinMessage = Extract<Message, { kind: 'join' }>;
export type SubscribeMessage = Extract<Message, { kind: 'subscribe' }>;
export type KickMessage = Extract<Message, { kind: 'kick' }>;
export type DataMessage = Extract<Message, { kind: 'data' }>;

/** `message: null` is the empty body: nothing asked, answered by plain success. */
export type ParsedMessage =
  | { ok: true; message: Message | null }
  /** `tooLong`: an id is longer than it may be. */
  | { ok: false; reason: string; tooLong?: boolean };

/**
 * Makes the parser of message bodies.
 *
 * @param idBytesMax longest room or user id in bytes of UTF-8
 * @returns a function that never throws; its reasons name the field and what was expected
 */
export function messageParser(idBytesMax: number): (body: unknown) => ParsedMessage {
  const union = unionFor(idBytesMax);
  return (body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return { ok: false, reason: `The message body should be an object (${nameOf(body)}).` };
    }
    if (Object.keys(body).length === 0) return { ok: true, message: null };
    const kind: unknown = Object.hasOwn(body, 'kind') ? (body as { kind?: unknown }).kind : undefined;
    if (!KINDS.some((known) => known === kind)) {
      const got = typeof kind === 'string' ? `got ${JSON.stringify(kind.slice(0, 40))}` : nameOf(kind);
      return { ok: false, reason: `The field kind should be one of ${KINDS.join(', ')} (${got}).` };
    }
    const parsed = union.safeParse(body);
    if (parsed.success) return { ok: true, message: parsed.data };
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || 'body';
    const reason = `The field ${field} of ${String(kind)} ${issue?.message ?? 'is not valid'}.`;
    // The one check that is ours, and not zod's, is that of an id's length.
    return { ok: false, reason, tooLong: issue?.code === 'custom' };
  };
}
