/** Descriptions that stopped the reference, or made it say nothing (threats.md S2, S4, and the holes k and n). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ClientHandle, JanusClient, type Received, refusalOf } from '../support/janus-client.js';
import { chromeOffer } from '../support/sdp-corpus.js';
import { type RunningServer, startServer } from '../support/server.js';

const OFFER = chromeOffer({ lines: ['audio', 'video', 'data'], direction: 'sendonly' });
const FORMATS = '%s%n%s%n%x%p';

let server: RunningServer;
let client: JanusClient;
let session: number;
before(async () => {
  // Room for the large ones, so that the SDP's own limit is what they meet.
  server = await startServer({ env: { WS_MESSAGE_BYTES_MAX: '4194304', SUBSCRIBE_WAIT: '0.2' } });
  client = await JanusClient.connect(server.wsUrl);
  session = await client.create();
});
after(async () => {
  await client.close();
  assert.equal(await server.stop(), 0, server.output());
});

const offer = (handle: ClientHandle, sdp: string) => client.message(handle, {}, { type: 'offer', sdp });
const codeOf = (reply: Received) => reply.error?.code ?? reply.jsep?.type;

/** An offer of about so many bytes that is all attributes. */
const padded = (bytes: number) =>
  OFFER + 'a=ssrc:1 cname:padding\r\n'.repeat(Math.max(0, Math.ceil((bytes - OFFER.length) / 25)));

describe('an offer', () => {
  const large: [string, string, number | string][] = [
    ['56 kB, on which the reference timed out,', `${OFFER}a=x:${'y'.repeat(56_000 - OFFER.length)}\r\n`, 'answer'],
    ['56 kB in 2,200 lines', padded(56_000), 465],
    ['1 MB, on which the reference timed out,', padded(1_000_000), 465],
    ['4,000 m-lines (hole n)', OFFER + 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'.repeat(4000), 465],
  ];
  for (const [name, sdp, outcome] of large) {
    test(`S2: of ${name} is answered: ${outcome}`, async () => {
      const handle = await client.attach(session);
      const started = performance.now();
      assert.equal(codeOf(await offer(handle, sdp)), outcome);
      assert.ok(performance.now() - started < 2000);
      if (outcome === 465) assert.equal(codeOf(await offer(handle, OFFER)), 'answer');
      await client.toHandle(handle, { janus: 'detach' });
    });
  }

  test('S2: with another protocol on its data line is answered all the same (hole n)', async () => {
    for (const protocol of ['RTP/AVP', 'UDP/DTLS/SCTPX', 'TCP/DTLS/SCTP', 'x']) {
      const handle = await client.attach(session);
      const reply = await offer(handle, OFFER.replace('UDP/DTLS/SCTP', protocol));
      assert.equal(reply.jsep?.type, 'answer', protocol);
      assert.match(reply.jsep?.sdp ?? '', /^m=application 0 /m, protocol);
      await client.toHandle(handle, { janus: 'detach' });
    }
  });

  test('S4: to a handle that was detached, or whose session was destroyed, is an error and nothing else', async () => {
    const handle = await client.attach(session);
    assert.equal(codeOf(await offer(handle, OFFER)), 'answer');
    await client.toHandle(handle, { janus: 'detach' });
    assert.equal(codeOf(await offer(handle, OFFER)), 459);
    const other = await client.attach(await client.create());
    assert.equal(codeOf(await offer(other, OFFER)), 'answer');
    await client.request({ janus: 'destroy', session_id: other.session });
    for (const type of ['offer', 'answer']) {
      assert.equal(codeOf(await client.message(other, {}, { type, sdp: OFFER })), 458);
    }
    const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
    assert.match(metrics, /^janus_sfu_publishers 0$/m);
  });
});

describe('format directives', () => {
  test('S2: in an SDP, in ids, in whom and in media are text like any other, also in the log (hole k)', async () => {
    const handle = await client.attach(session);
    const protocol = OFFER.replace('UDP/DTLS/SCTP', FORMATS);
    assert.equal(codeOf(await offer(handle, protocol)), 465);
    for (const sdp of [OFFER.replace('o=-', `o=${FORMATS}`), OFFER.replace('s=-', `s=${FORMATS}`)]) {
      assert.equal(codeOf(await offer(handle, sdp)), 'answer');
    }
    const subscribe = { data: true, notifications: true, media: FORMATS };
    const join = { kind: 'join', room_id: FORMATS, user_id: FORMATS };
    const fresh = await client.attach(session);
    assert.match(refusalOf(await client.message(fresh, { ...join, subscribe })) ?? '', /nonexistent publisher/);
    assert.equal(refusalOf(await client.message(fresh, { ...join, subscribe: { data: true } })), null);
    for (const kind of ['block', 'unblock']) {
      assert.equal(refusalOf(await client.message(fresh, { kind, whom: `${FORMATS}2` })), null);
    }
    assert.equal(refusalOf(await client.message(fresh, { kind: 'data', body: FORMATS, whom: FORMATS })), null);
    await client.settled();
    assert.deepEqual(client.pushed(fresh), [{ event: 'data', body: FORMATS, from: FORMATS }]);
    assert.ok(server.output().includes(FORMATS), 'the log has it as it is');
  });
});
