import { PLUGIN } from '../../sfu/plugin.js';
import type { Fields } from '../envelope.js';
import { JANUS_ERROR, wrongType } from '../errors.js';
import { AdminError, failed, optional, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';

function unknownToken(token: string): AdminError {
  return new AdminError({ code: JANUS_ERROR.TOKEN_NOT_FOUND, reason: `Token ${token.slice(0, 100)} not found` });
}

/** The plugins of `allow_token` and `disallow_token`: each must be one of ours. */
function knownPlugins(fields: Fields): string[] {
  const plugins = required(fields, 'plugins', 'an array');
  if (plugins.length === 0) throw new AdminError(wrongType('plugins', 'a non-empty array'));
  if (!plugins.every((one) => one === PLUGIN)) {
    const reason = 'Invalid element type (some of the provided plugins are invalid)';
    throw new AdminError({ code: JANUS_ERROR.INVALID_ELEMENT_TYPE, reason });
  }
  return [PLUGIN];
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
      const plugins = optional(fields, 'plugins', 'an array');
      return add(token, plugins && !plugins.includes(PLUGIN) ? [] : [PLUGIN]);
    },
    allow_token: (fields) => {
      const token = required(fields, 'token', 'a string');
      const plugins = knownPlugins(fields);
      if (!authority.hasToken(token)) throw unknownToken(token);
      return add(token, plugins);
    },
    disallow_token: (fields) => {
      const token = required(fields, 'token', 'a string');
      const plugins = authority.disallow(token, knownPlugins(fields));
      if (!plugins) throw unknownToken(token);
      return { data: { plugins } };
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
