/** Documents that clients send to the Janus API, held against a model of its specification. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type ApiAccess, newApiClient, newApiServer, turn } from '../../support/api-server.js';
import type { Received } from '../../support/janus-client.js';
import { type Access, JanusModel, type Json } from '../../support/janus-model.js';
import { documentOf, request, SECRET, SIGNED, SIGNING } from '../../support/request-drafts.js';
import { defineTarget, jsonLines } from './target.js';

/** The combinations of janus-api.md 7, as the server is set and as the model sees it. */
export const ACCESS: { name: string; settings: ApiAccess; access: Access }[] = (
  [
    ['nothing', undefined, false, undefined],
    ['a secret', SECRET, false, undefined],
    ['stored tokens', undefined, true, undefined],
    ['signed tokens', undefined, true, SIGNING],
    ['a secret and stored tokens', SECRET, true, undefined],
    ['a secret and signed tokens', SECRET, true, SIGNING],
  ] as const
).map(([name, apiSecret, tokenAuth, tokenSecret]) => {
  const stored = { good: ['janus.plugin.sfu'], poor: [] };
  const tokens = tokenSecret ? { [SIGNED.good]: ['janus.plugin.sfu'], [SIGNED.poor]: [] } : stored;
  return {
    name,
    settings: { apiSecret, tokenAuth, tokenSecret, tokensMax: 10 },
    access: { ...(apiSecret && { apiSecret }), ...(tokenAuth && { tokens }) },
  };
});

type ClientName = 'ann' | 'bob';
type Request = Parameters<typeof documentOf>[0];
/** A request, or, by its number, how the server is set. */
type Part = { access: number } | { from: string; draft: Request };

/** What of a reply the model speaks about. */
export function summary(reply: Received) {
  const { janus, error, session_id, transaction } = reply;
  return {
    janus,
    ...(error && { code: error.code }),
    ...(session_id !== undefined && { session_id }),
    ...(transaction !== undefined && { transaction }),
  };
}

/** How often each kind of reply came, by the number of the access: what the tests ask for in the end. */
export const outcomes = ACCESS.map(() => new Map<string, number>());

/** Asserts that two values are the same, and names the document only if they are not: there are many of them. */
function same(actual: unknown, expected: unknown, document: Json): void {
  if (!isDeepStrictEqual(actual, expected)) assert.deepEqual(actual, expected, JSON.stringify(document));
}

async function run(parts: Part[]): Promise<number> {
  const number = parts.find((part) => 'access' in part)?.access ?? 0;
  const { settings, access } = ACCESS[number] ?? assert.fail(`there is no access ${number}`);
  const { api, sessions } = newApiServer(settings);
  const clients = { ann: newApiClient('ann', 1), bob: newApiClient('bob', 2) };
  const model = new JanusModel(access);
  const seen = outcomes[number];
  const counts: number[] = [];
  const ask = async (from: ClientName, document: Json) => {
    const predicted = model.predict(from, document);
    const index = counts.push(0) - 1;
    let answer: Received = {};
    api.request(clients[from], structuredClone(document), (reply) => {
      counts[index] = (counts[index] ?? 0) + 1;
      answer = JSON.parse(JSON.stringify(reply));
    });
    for (let turns = 0; turns < 3 || (counts[index] === 0 && turns < 1000); turns += 1) await turn();
    same(counts[index], 1, document);
    same(summary(answer), predicted, document);
    const outcome = `${answer.janus} ${answer.error?.code ?? ''}`;
    seen?.set(outcome, (seen.get(outcome) ?? 0) + 1);
    if (answer.janus !== 'error') model.apply(from, document, answer.data?.id);
    const state = sessions.all().map(({ id, owner, handles }) => {
      const of = owner === clients.ann ? 'ann' : owner === clients.bob ? 'bob' : 'nobody';
      return `${id} of ${of}: ${[...handles.keys()].sort((a, b) => a - b)}`;
    });
    same(state.sort(), model.state, document);
    return answer;
  };
  const credentials = { apisecret: SECRET, token: settings.tokenSecret ? SIGNED.good : 'good', transaction: 's' };
  for (const from of ['ann', 'bob', 'ann'] as const) {
    const { data } = await ask(from, { janus: 'create', ...credentials });
    const attach = { janus: 'attach', plugin: 'janus.plugin.sfu', session_id: data?.id ?? 0, ...credentials };
    for (let times = 0; times < 2; times += 1) await ask(from, attach);
  }
  for (const part of parts) {
    if (!('access' in part)) await ask(part.from as ClientName, documentOf(part.draft, part.from, model));
  }
  api.acceptingSessions = model.accepting = false;
  await ask('ann', { janus: 'create', transaction: 'refused' });
  assert.ok(counts.every((count) => count === 1));
  return counts.length;
}

export const envelopeTarget = defineTarget<Part>({
  ...jsonLines<Part>(),
  name: 'envelope',
  unit: 'messages',
  promise:
    'Every document gets exactly one direct reply, the one that a model of the specification predicts, and changes nothing unless it was served.',
  make: (random) => [
    { access: random.below(ACCESS.length) },
    ...fc.sample(request, { seed: random.below(2 ** 31), numRuns: 60 }),
  ],
  run,
});
