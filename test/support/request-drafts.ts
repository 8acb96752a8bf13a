/** Requests for property tests: each of their fields right, wrong or absent, and documents of any other kind. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { JanusModel, Json } from './janus-model.js';
import { chromeOffer } from './sdp-corpus.js';

const OFFER = chromeOffer({ lines: ['audio', 'data'] });
export const SECRET = 's3cret';
export const SIGNING = 'key of the signed tokens';

function signed(content: string): string {
  return `${content}:${createHmac('sha1', SIGNING).update(content).digest('base64')}`;
}
/** Tokens as their maker writes them: until 2100, until 2001, for the Admin API. */
export const SIGNED = {
  good: signed('4102444800,janus,janus.plugin.sfu,janus.plugin.echotest'),
  poor: signed('4102444800,janus,janus.plugin.echotest'),
  past: signed('1000000000,janus,janus.plugin.sfu'),
  admin: signed('4102444800,admin,janus.plugin.sfu'),
};

/** A part of a request that is only known when it is sent: an id of the state, by number. */
type Placeholder = { $session: number } | { $handle: number };
type Draft = { [key: string]: Json | Placeholder };

const isPlaceholder = (value: Json | Placeholder): value is Placeholder =>
  typeof value === 'object' && value !== null && ('$session' in value || '$handle' in value);

/** Most sessions are the sender's own, and most handles those of the request's session; some are another one's. */
function fill(draft: Draft, from: string, model: JanusModel): Json {
  const all = [...model.sessions.values()].flatMap((session) => [...session.handles.keys()]);
  const mine = [...model.sessions].flatMap(([id, { owner }]) => (owner === from ? [id] : []));
  const at = (ids: number[], index: number) => ids[index % ids.length] ?? 5;
  const filled: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(draft)) {
    if (!isPlaceholder(value)) filled[name] = value;
    else if ('$session' in value)
      filled[name] = at(value.$session % 4 === 0 ? [...model.sessions.keys()] : mine, value.$session);
    else {
      const handles = [...(model.sessions.get(Number(filled.session_id))?.handles.keys() ?? [])];
      filled[name] = at(value.$handle % 4 === 0 ? all : handles, value.$handle);
    }
  }
  return filled;
}

/** Any JSON but integers beyond 64 bits: no text with one is taken. */
export const anyJson = fc.jsonValue().filter((value) => !/\d{19}/.test(JSON.stringify(value))) as fc.Arbitrary<Json>;

const odd = fc.constantFrom<Json>(null, true, '', '7', -1, 0, 0.5, 7, 2 ** 60, [], {}, 'x'.repeat(300), '__proto__');
const verb = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('attach', 'message', 'trickle', 'hangup', 'detach') },
  { weight: 4, arbitrary: fc.constantFrom('keepalive', 'claim', 'destroy', 'create', 'ping', 'info') },
  { weight: 1, arbitrary: fc.constantFrom('ATTACH', 'Ping', 'nope', '', 'toString', 'claim ') },
);
const sometimes = <T>(weight: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight, arbitrary: arbitrary.map((value) => ({ value })) }, { weight: 1, arbitrary: fc.constant(null) });
const orOdd = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof<fc.MaybeWeightedArbitrary<T | Json>[]>({ weight: 9, arbitrary }, { weight: 1, arbitrary: odd });
const jsep = fc.oneof(
  odd,
  fc.constantFrom<Json>(
    { type: 'offer' },
    { type: 'offer', sdp: 5 },
    { sdp: OFFER },
    { type: 'offer', sdp: 'not an SDP' },
    { type: 'Answer', sdp: OFFER },
    { type: 'rollback', sdp: OFFER },
    { type: 'offer', sdp: OFFER, trickle: 'yes' },
    { type: 'offer', sdp: OFFER, e2ee: 1 },
    { type: 'answer', sdp: OFFER, trickle: null, rid_order: 'hml' },
  ),
);
const candidate = fc.oneof(
  odd,
  fc.constantFrom<Json>(
    { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 },
    { candidate: '', sdpMid: null, sdpMLineIndex: 0 },
    { candidate: 'rubbish', sdpMLineIndex: -1 },
    { candidate: 5, sdpMid: '0' },
    { sdpMid: '0' },
    { candidate: 'x', sdpMid: null },
    { completed: false },
  ),
);

/** Fields of a request, each of them right, wrong or absent. */
const fields = fc.record({
  janus: sometimes(30, orOdd<Json | Placeholder>(verb)),
  transaction: sometimes(30, orOdd<Json | Placeholder>(fc.string({ maxLength: 12 }))),
  session_id: sometimes(6, orOdd<Json | Placeholder>(fc.nat(6).map(($session) => ({ $session })))),
  handle_id: sometimes(9, orOdd<Json | Placeholder>(fc.nat(6).map(($handle) => ({ $handle })))),
  id: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    sometimes(9, fc.oneof<fc.Arbitrary<Json | Placeholder>[]>(odd, fc.constant({ $session: 1 }))),
  ),
  apisecret: sometimes(6, orOdd<Json>(fc.constant(SECRET))),
  token: sometimes(6, orOdd<Json>(fc.constantFrom('good', 'poor', 'none', ...Object.values(SIGNED)))),
  plugin: sometimes(9, orOdd<Json>(fc.constantFrom('janus.plugin.sfu', 'janus.plugin.echotest'))),
  opaque_id: sometimes(1, odd),
  loop_index: sometimes(1, odd),
  body: sometimes(9, orOdd<Json>(fc.constantFrom<Json>({}, { kind: 'data', body: 'x' }, { kind: 'dance' }))),
  jsep: sometimes(1, jsep),
  candidate: sometimes(1, candidate),
  candidates: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, sometimes(1, orOdd(fc.array(candidate)))),
});
const TO_HANDLES = ['message', 'trickle', 'hangup', 'detach'];
const nearlyRight: fc.Arbitrary<Draft> = fc.tuple(fields, fc.nat(8)).map(([all, keep]) => {
  const draft = Object.fromEntries(Object.entries(all).flatMap(([name, part]) => (part ? [[name, part.value]] : [])));
  // Most of the verbs that go to a session or to a handle are well addressed.
  if (keep > 0 && !TO_HANDLES.includes(String(draft.janus))) delete draft.handle_id;
  if (keep > 0 && ['create', 'ping', 'info'].includes(String(draft.janus))) delete draft.session_id;
  return draft;
});
const offer = fc.nat(6).map(
  (index): Draft => ({
    janus: 'message',
    transaction: 'o',
    session_id: { $session: index },
    handle_id: { $handle: index },
    body: {},
    jsep: { type: 'offer', sdp: OFFER },
    apisecret: SECRET,
    token: 'good',
  }),
);
/** A request of one of two clients, `ann` and `bob`. */
export const request = fc.record({
  from: fc.constantFrom('ann', 'bob'),
  draft: fc.oneof(
    { weight: 20, arbitrary: nearlyRight },
    { weight: 2, arbitrary: offer },
    { weight: 1, arbitrary: anyJson.map((value) => ({ $any: value })) },
  ),
});

/** The document that a draft comes to, in a state of the server. */
export const documentOf = (draft: Draft | { $any: Json }, from: string, model: JanusModel): Json =>
  '$any' in draft ? (draft.$any as Json) : fill(draft as Draft, from, model);
