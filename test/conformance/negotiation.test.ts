/** Offers and answers in every state of a handle (threats.md S1, S4, S5; janus-api.md 3.3, 4, 9.6), on the wire. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ClientHandle, dataOf, JanusClient, type Received, refusalOf } from '../support/janus-client.js';
import { chromeOffer } from '../support/sdp-corpus.js';
import { type RunningServer, startServer } from '../support/server.js';

const OFFER = { type: 'offer', sdp: chromeOffer({ lines: ['data', 'audio', 'video'], direction: 'sendonly' }) };
const ANSWER = {
  type: 'answer',
  sdp: chromeOffer({ lines: ['audio', 'video', 'data'], direction: 'recvonly', setup: 'active' }),
};

let server: RunningServer;
let client: JanusClient;
let session: number;
let publishers = 0;

before(async () => {
  server = await startServer({
    workers: 2,
    env: { SUBSCRIBE_WAIT: '0.3', REQUESTS_PER_HANDLE: '16', UNJOINED_HANDLES_PER_CONNECTION: '1000' },
  });
  client = await JanusClient.connect(server.wsUrl);
  session = await client.create();
});
after(async () => {
  await client.close();
  assert.equal(await server.stop(), 0, server.output());
});

/** A reply in short: what was said, and the type of its description. */
function short(reply: Received): string {
  if (reply.error) return `${reply.error.code} ${reply.error.reason}`;
  return refusalOf(reply) ?? reply.jsep?.type ?? 'success';
}

const say = async (handle: ClientHandle, jsep: { type: string; sdp: string }, body: object = {}) =>
  short(await client.message(handle, body, jsep));

/** A handle that subscribes to a publisher of its own, with an offer of ours out. */
async function subscriber(): Promise<{ handle: ClientHandle; publisher: ClientHandle }> {
  publishers += 1;
  const publisher = await client.join('room', `pub${publishers}`, { data: true });
  const handle = await client.attach(session);
  const body = { kind: 'join', room_id: 'room', user_id: `sub${publishers}`, subscribe: { media: `pub${publishers}` } };
  assert.equal(short(await client.message(handle, body)), 'offer');
  return { handle, publisher };
}

/** The answer that a client gives to our offer: same mids. */
function answerTo(): { type: string; sdp: string } {
  let line = 0;
  const sdp = ANSWER.sdp
    .replaceAll(/^a=mid:.*$/gm, () => `a=mid:${['a', 'v', 'd'][line++]}`)
    .replace(/^a=group:BUNDLE .*$/m, 'a=group:BUNDLE a v d');
  return { type: 'answer', sdp };
}

describe('a fresh handle', () => {
  test('S4: takes an offer, takes it again, and takes another one after a hangup', async () => {
    const handle = await client.attach(session);
    assert.equal(await say(handle, OFFER), 'answer');
    assert.equal(await say(handle, OFFER), 'answer');
    assert.equal((await client.toHandle(handle, { janus: 'hangup' })).janus, 'success');
    const hangup = await client.until((one) => one.janus === 'hangup' && one.sender === handle.id, 'hangup');
    assert.equal(hangup.reason, 'Janus API');
    assert.equal(await say(handle, OFFER), 'answer');
  });

  test('says no hangup where there was nothing to hang up', async () => {
    const handle = await client.attach(session);
    await client.toHandle(handle, { janus: 'hangup' });
    await client.settled();
    assert.ok(!client.received.some((one) => one.janus === 'hangup' && one.sender === handle.id));
  });

  test('S4: takes no answer, and nothing is left of the attempt', async () => {
    const handle = await client.attach(session);
    assert.equal(await say(handle, ANSWER), '469 Unexpected ANSWER (did we offer?)');
    assert.equal(await say(handle, OFFER), 'answer');
    assert.equal(await say(handle, ANSWER), '469 Unexpected ANSWER (did we offer?)');
  });

  test('S4: says that nobody waits for an answer before it says what that lacks, but not before whether it is SDP', async () => {
    const handle = await client.attach(session);
    const unsecured = { type: 'answer', sdp: ANSWER.sdp.replaceAll(/^a=fingerprint:.*\r\n/gm, '') };
    assert.equal(await say(handle, unsecured), '469 Unexpected ANSWER (did we offer?)');
    assert.match(await say(handle, { type: 'answer', sdp: 'rubbish' }), /^465 Invalid SDP/);
    const { handle: waiting } = await subscriber();
    assert.equal(await say(waiting, unsecured), '465 Error processing SDP');
  });

  test('S4: is as before after an offer that could not be read', async () => {
    const handle = await client.attach(session);
    assert.match(await say(handle, { type: 'offer', sdp: 'rubbish' }), /^465 /);
    assert.match(await say(handle, { type: 'offer', sdp: OFFER.sdp.replaceAll(/^a=ice-pwd.*\r\n/gm, '') }), /^465 /);
    assert.equal(await say(handle, OFFER), 'answer');
  });

  test('whose message is refused does not negotiate', async () => {
    const handle = await client.attach(session);
    assert.match(await say(handle, OFFER, { kind: 'fiddle' }), /^The field kind should be one of/);
    assert.equal(await say(handle, ANSWER), '469 Unexpected ANSWER (did we offer?)');
  });

  test('joins and offers in one message', async () => {
    const handle = await client.attach(session);
    const body = { kind: 'join', room_id: 'both', user_id: 'ann', subscribe: { data: true } };
    const reply = await client.message(handle, body, OFFER);
    assert.deepEqual([short(reply), dataOf(reply)], ['answer', { success: true, response: { users: { both: [] } } }]);
  });

  test('answers with the session number of its first answer, and a new version each time', async () => {
    const handle = await client.attach(session);
    const origins = [];
    for (let round = 0; round < 3; round += 1) {
      const { jsep } = await client.message(handle, {}, OFFER);
      origins.push(
        /^o=- (\d+) (\d+) /m
          .exec(jsep?.sdp ?? '')
          ?.slice(1)
          .map(Number) ?? [],
      );
    }
    const [number, version = 0] = origins[0] ?? [];
    assert.deepEqual(
      origins,
      [0, 1, 2].map((more) => [number, version + more]),
    );
  });
});

describe('a client that encrypts its media by itself', () => {
  test('says e2ee once, and is told so with every description until its PeerConnection ends', async () => {
    const handle = await client.attach(session);
    const told = async (jsep: object) => {
      const { transaction } = await client.toHandle(handle, { janus: 'message', body: {}, jsep });
      const event = await client.until((one) => one.transaction === transaction && one.janus === 'event', 'the answer');
      return (event.jsep as { e2ee?: boolean } | undefined)?.e2ee;
    };
    assert.equal(await told({ ...OFFER, e2ee: true }), true);
    assert.equal(await told(OFFER), true);
    await client.toHandle(handle, { janus: 'hangup' });
    assert.equal(await told({ ...OFFER, e2ee: false }), undefined);
  });
});

describe('a handle that subscribes', () => {
  test('S4: takes the answer to its offer once', async () => {
    const { handle } = await subscriber();
    assert.equal(await say(handle, answerTo()), 'success');
    assert.equal(await say(handle, answerTo()), '469 Unexpected ANSWER (did we offer?)');
  });

  test('S4: refuses an answer to something else, and still takes the right one', async () => {
    const { handle } = await subscriber();
    assert.match(await say(handle, ANSWER), /^465 Error processing SDP/);
    assert.match(await say(handle, { type: 'answer', sdp: 'rubbish' }), /^465 /);
    assert.equal(await say(handle, answerTo()), 'success');
  });

  test('takes any candidate before its answer, and looks at those that follow', async () => {
    const { handle } = await subscriber();
    const trickle = async () => short(await client.toHandle(handle, { janus: 'trickle', candidate: {} }));
    assert.equal(await trickle(), 'success');
    assert.equal(await say(handle, answerTo()), 'success');
    assert.match(await trickle(), /^456 Trickle error/);
  });

  test('takes no offer of its client', async () => {
    const { handle } = await subscriber();
    assert.match(await say(handle, OFFER), /attach another handle/);
    assert.equal(await say(handle, answerTo()), 'success');
  });

  test('gets a new offer when its publisher offers what it must know, one at a time', async () => {
    const { handle, publisher } = await subscriber();
    const offers = () => client.received.filter((one) => one.sender === handle.id && one.jsep && !one.transaction);
    assert.equal(await say(publisher, OFFER), 'answer');
    assert.deepEqual(offers(), [], 'the first offer is not answered yet');
    assert.equal(await say(handle, answerTo()), 'success');
    const offer = await client.until(
      (one) => one.sender === handle.id && one.jsep?.type === 'offer' && !one.transaction,
      'the new offer',
    );
    assert.deepEqual(dataOf(offer), {});
    assert.equal(await say(handle, answerTo()), 'success');
    assert.equal(await say(publisher, OFFER), 'answer');
    await client.settled();
    assert.equal(offers().length, 1, 'an offer that changes nothing is not passed on');
  });

  test('is told when its publisher goes, and can subscribe anew', async () => {
    const { handle, publisher } = await subscriber();
    assert.equal(await say(handle, answerTo()), 'success');
    await client.toHandle(publisher, { janus: 'detach' });
    await client.until((one) => one.janus === 'hangup' && one.sender === handle.id, 'hangup');
    assert.equal(await say(handle, answerTo()), '469 Unexpected ANSWER (did we offer?)');
    const again = await client.join('room', 'another', { data: true });
    const reply = await client.message(handle, { kind: 'subscribe', what: { media: 'another' } });
    assert.equal(short(reply), 'offer');
    await client.toHandle(again, { janus: 'detach' });
  });

  test('and has a PeerConnection of its own must use another handle', async () => {
    const handle = await client.join('room', 'own', { data: true });
    await client.join('room', 'other', { data: true });
    assert.equal(await say(handle, OFFER), 'answer');
    const reply = await client.message(handle, { kind: 'subscribe', what: { media: 'other' } });
    assert.equal(refusalOf(reply) ?? 'no refusal', 'Handles may only subscribe once!');
    const fresh = await client.attach(session);
    assert.equal(await say(fresh, OFFER), 'answer');
    const join = { kind: 'join', room_id: 'room', user_id: 'third', subscribe: { media: 'other' } };
    assert.match(short(await client.message(fresh, join)), /attach another handle/);
    const both = await client.attach(session);
    assert.match(await say(both, OFFER, join), /can not carry one/);
  });
});

describe('too much', () => {
  const attribute = (count: number) => `${OFFER.sdp}${'a=x:y\r\n'.repeat(count)}`;
  const bombs: [string, string][] = [
    ['64 KiB of one line', `${OFFER.sdp}a=x:${'y'.repeat(65_536)}\r\n`],
    ['2,000 lines', attribute(2000)],
    ['40 m-lines', `${OFFER.sdp}${'m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'.repeat(40)}`],
    ['100 candidates', `${OFFER.sdp}${'a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n'.repeat(100)}`],
  ];
  for (const [name, sdp] of bombs) {
    test(`S1: an offer with ${name} is refused with 465, and the handle lives`, async () => {
      const handle = await client.attach(session);
      const started = performance.now();
      assert.match(await say(handle, { type: 'offer', sdp }), /^465 /);
      assert.ok(performance.now() - started < 2000);
      assert.equal(await say(handle, OFFER), 'answer');
    });
  }

  test('for a handle that is busy is refused request by request, what was taken is served in order', async () => {
    const handle = await client.attach(session);
    const join = { kind: 'join', room_id: 'room', user_id: 'late', subscribe: { media: 'ghost' } };
    const joined = client.message(handle, join);
    const replies = await Promise.all(
      Array.from({ length: 30 }, () => client.toHandle(handle, { janus: 'trickle', candidate: null })),
    );
    assert.equal(refusalOf(await joined), "Can't subscribe to a nonexistent publisher.");
    assert.deepEqual(
      replies.map((reply) => reply.error?.code ?? reply.janus),
      [...Array(16).fill('ack'), ...Array(14).fill(490)],
    );
  });
});
