import { PLUGIN } from '../../sfu/plugin.js';
import type { Authority } from '../authority.js';
import type { Fields } from '../envelope.js';
import { JANUS_ERROR, wrongType } from '../errors.js';
import { AdminError, failed, optional, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';

function unknownToken(token: string): AdminError {
  return new AdminError({ code: JANUS_ERROR.TOKEN_NOT_FOUND, reason: `Token ${token} not found` });
}

/** The token and plugins of `allow_token` and `disallow_token`, of which each must be there. */
function known(authority: Authority, fields: Fields): { token: string; plugins: string[] } {
  const token = required(fields, 'token', 'a string');
  const plugins = optional(fields, 'plugins', 'an array') ?? [];
  if (plugins.length === 0) throw new AdminError(wrongType('plugins', 'a non-empty array'));
  if (!authority.hasToken(token)) throw unknownToken(token);
  if (!plugins.every((one) => one === PLUGIN)) {
    const reason = 'Invalid element type (some of the provided plugins are invalid)';
    throw new AdminError({ code: JANUS_ERROR.INVALID_ELEMENT_TYPE, reason });
  }
  return { token, plugins: [PLUGIN] };
}

/** The verbs about stored tokens (janus-api.md 7). */
export function tokenVerbs({ authority }: AdminParts): Record<string, ServerVerb> {
  const add = (token: string, plugins: readonly string[]) => {
    const allowed = authority.addToken(token, plugins);
    if (!allowed) throw failed('Error adding token: there are as many as TOKENS_MAX allows; remove some.');
    return { data: { plugins: allowed } };
  };
  const verbs: Record<string, ServerVerb> = {
    add_token: (fields) => {
      const token = required(fields, 'token', 'a string');
      const plugins = optional(fields, 'plugins', 'an array') ?? [];
      // No list, or an empty one: all plugins.
      return add(token, plugins.length > 0 && !plugins.includes(PLUGIN) ? [] : [PLUGIN]);
    },
    allow_token: (fields) => {
      const { token, plugins } = known(authority, fields);
      return add(token, plugins);
    },
    disallow_token: (fields) => {
      const { token, plugins } = known(authority, fields);
      return { data: { plugins: authority.disallow(token, plugins) ?? [] } };
    },
    list_tokens: () => {
      const usable = authority.tokens().filter(({ plugins }) => plugins.length > 0);
      return { data: { tokens: usable.map(({ token, plugins }) => ({ token, allowed_plugins: plugins })) } };
    },
    remove_token: (fields) => {
      if (!authority.removeToken(required(fields, 'token', 'a string'))) throw failed('Error removing token');
      return {};
    },
  };
  return Object.fromEntries(
    Object.entries(verbs).map(([name, verb]): [string, ServerVerb] => [
      name,
      async (fields) => {
        if (!authority.storesTokens) throw failed('Stored-Token based authentication disabled');
        const answer = await verb(fields);
        // Whoever has the answer may send a client to any node.
        await authority.shared;
        return answer;
      },
    ]),
  );
}
