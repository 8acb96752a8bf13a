/**
 * Candidates apart from descriptions (janus-api.md 1.3 and 9.5; RFC 8838): the server's as `trickle` events in full
 * trickle, the client's early, late, broken. With real peers, one of them over IPv6.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MediaPeer, releaseNative } from '../../bench/load/media-peer.js';
import { publisherOffer, readSdp, type Transport } from '../../bench/load/sdp.js';
import { type ClientHandle, JanusClient, type Received } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

after(releaseNative);

const CANDIDATE = { candidate: 'candidate:1 1 UDP 2122 192.0.2.9 9 typ host', sdpMid: '0', sdpMLineIndex: 0 };

async function offerOf(peer: MediaPeer): Promise<string> {
  const transport = await peer.offer([{ label: 'reliable' }]);
  return publisherOffer(transport, [{ kind: 'application', mid: 'first' }], 1, ['h264']);
}

async function newHandle(client: JanusClient): Promise<ClientHandle> {
  return client.attach(await client.create());
}

const isTrickle = (handle: ClientHandle) => (one: Received) => one.janus === 'trickle' && one.sender === handle.id;

interface Trickled {
  candidate?: string;
  completed?: boolean;
  sdpMid?: string;
  sdpMLineIndex?: number;
}

const candidateOf = (one: Received) => one.candidate as Trickled;

/** All candidates of a handle from a place on, when they are complete. */
async function trickled(client: JanusClient, handle: ClientHandle, from = 0): Promise<Trickled[]> {
  await client.until(
    (one) => isTrickle(handle)(one) && candidateOf(one).completed === true,
    'the last candidate',
    from,
  );
  return client.received.slice(from).filter(isTrickle(handle)).map(candidateOf);
}

async function connects(client: JanusClient, handle: ClientHandle, peer: MediaPeer, remote: Transport): Promise<void> {
  peer.acceptAnswer(remote);
  await peer.ready;
  await client.until((one) => one.janus === 'webrtcup' && one.sender === handle.id, 'webrtcup');
}

describe('in full trickle', () => {
  let server: RunningServer;
  let client: JanusClient;
  before(async () => {
    server = await startServer({ env: { FULL_TRICKLE: 'true' } });
    client = await JanusClient.connect(server.wsUrl);
  });
  after(async () => {
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  test('the answer has no candidates, they come as events, the last one says completed; a peer connects', async () => {
    const handle = await newHandle(client);
    const peer = new MediaPeer('full');
    try {
      const { jsep } = await client.message(handle, {}, { type: 'offer', sdp: await offerOf(peer) });
      assert.ok(jsep);
      assert.doesNotMatch(jsep.sdp, /^a=(candidate|end-of-candidates)/m);
      assert.match(jsep.sdp, /^a=ice-options:trickle\r$/m);
      const candidates = await trickled(client, handle);
      assert.ok(candidates.length >= 2);
      for (const { candidate, sdpMid, sdpMLineIndex } of candidates.slice(0, -1)) {
        assert.match(candidate ?? '', /^candidate:\S+ 1 udp \d+ \S+ \d+ typ host/);
        assert.deepEqual([sdpMid, sdpMLineIndex], ['first', 0]);
      }
      assert.deepEqual(candidates.at(-1), { completed: true });
      const { transport } = readSdp(jsep.sdp);
      const texts = candidates.flatMap(({ candidate }) => candidate ?? []);
      await connects(client, handle, peer, { ...transport, candidates: texts });
    } finally {
      await peer.close();
    }
  });

  test('they are told once for a transport, and again after an ICE restart', async () => {
    const handle = await newHandle(client);
    const [first, second] = [new MediaPeer('first'), new MediaPeer('second')];
    try {
      const sdp = await offerOf(first);
      await client.message(handle, {}, { type: 'offer', sdp });
      const before = await trickled(client, handle);
      const mark = client.received.length;
      const update = await client.message(handle, {}, { type: 'offer', sdp: sdp.replace(/^(o=\S+ \S+) 1 /m, '$1 2 ') });
      assert.equal(update.jsep?.type, 'answer');
      await client.settled();
      assert.deepEqual(client.received.slice(mark).filter(isTrickle(handle)), []);
      const restart = await client.message(handle, {}, { type: 'offer', sdp: await offerOf(second) });
      assert.ok(restart.jsep);
      const after = await trickled(client, handle, mark);
      assert.equal(after.length, before.length);
      const texts = after.flatMap(({ candidate }) => candidate ?? []);
      await connects(client, handle, second, { ...readSdp(restart.jsep.sdp).transport, candidates: texts });
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  });

  test('a subscriber’s offer has none either', async () => {
    const publisher = await client.join('trickling', 'alice', { data: true });
    const peer = new MediaPeer('publisher');
    try {
      await client.message(publisher, {}, { type: 'offer', sdp: await offerOf(peer) });
      const handle = await newHandle(client);
      const offered = await client.message(handle, {
        kind: 'join',
        room_id: 'trickling',
        user_id: 'bob',
        subscribe: { media: 'alice' },
      });
      assert.equal(offered.jsep?.type, 'offer');
      assert.doesNotMatch(offered.jsep.sdp, /^a=(candidate|end-of-candidates)/m);
      assert.deepEqual((await trickled(client, handle)).at(-1), { completed: true });
    } finally {
      await peer.close();
    }
  });
});

describe('a client’s candidates', () => {
  let server: RunningServer;
  let client: JanusClient;
  before(async () => {
    server = await startServer();
    client = await JanusClient.connect(server.wsUrl);
  });
  after(async () => {
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  const trickle = async (handle: ClientHandle, fields: Record<string, unknown>) => {
    const reply = await client.toHandle(handle, { janus: 'trickle', ...fields });
    return reply.error?.code ?? reply.janus;
  };
  const UNUSUAL: Record<string, unknown>[] = [
    { candidate: { ...CANDIDATE, usernameFragment: 'x' } },
    { candidate: { ...CANDIDATE, candidate: CANDIDATE.candidate.replace('192.0.2.9', 'af12.local') } },
    { candidate: { ...CANDIDATE, candidate: 'candidate:1 1 TCP 1518 192.0.2.9 9 typ host tcptype active' } },
    { candidate: { ...CANDIDATE, candidate: CANDIDATE.candidate.replace('1 UDP', '2 UDP') } },
    { candidate: { ...CANDIDATE, candidate: 'no candidate at all' } },
    { candidate: { ...CANDIDATE, candidate: '', sdpMid: null } },
    { candidate: { ...CANDIDATE, sdpMid: 'another', sdpMLineIndex: 3 } },
    { candidates: [CANDIDATE, { completed: true }, null, 5] },
    { candidate: { completed: false } },
    { candidate: null },
  ];

  test('that come before the offer are taken unseen, and the peer connects', async () => {
    const handle = await newHandle(client);
    for (const fields of [...UNUSUAL, { candidate: {} }, { candidate: { candidate: 5 } }]) {
      assert.equal(await trickle(handle, fields), 'ack', JSON.stringify(fields));
    }
    const peer = new MediaPeer('early');
    try {
      const { jsep } = await client.message(handle, {}, { type: 'offer', sdp: await offerOf(peer) });
      assert.ok(jsep);
      assert.match(
        jsep.sdp,
        /^a=candidate:[\s\S]*^a=end-of-candidates\r$/m,
        'half trickle: all of them are in the answer',
      );
      await connects(client, handle, peer, readSdp(jsep.sdp).transport);
      assert.ok(!client.received.some(({ janus }) => janus === 'trickle'));
    } finally {
      await peer.close();
    }
  });

  test('of every kind are taken after the offer too, and what is none is refused', async () => {
    const handle = await newHandle(client);
    const peer = new MediaPeer('late');
    try {
      const { jsep } = await client.message(handle, {}, { type: 'offer', sdp: await offerOf(peer) });
      assert.ok(jsep);
      for (const fields of UNUSUAL) assert.equal(await trickle(handle, fields), 'ack', JSON.stringify(fields));
      assert.equal(await trickle(handle, { candidate: {} }), 456);
      assert.equal(await trickle(handle, { candidate: { ...CANDIDATE, candidate: 5 } }), 467);
      assert.equal(await trickle(handle, { candidates: CANDIDATE }), 467);
      await connects(client, handle, peer, readSdp(jsep.sdp).transport);
    } finally {
      await peer.close();
    }
  });
});

describe('over IPv6', () => {
  test('a client signals and its peer connects', async (t) => {
    const server = await startServer();
    t.after(() => server.stop());
    const client = await JanusClient.connect(server.wsUrl.replace('127.0.0.1', '[::1]'));
    const handle = await newHandle(client);
    const peer = new MediaPeer('six', '::1');
    try {
      const { jsep } = await client.message(handle, {}, { type: 'offer', sdp: await offerOf(peer) });
      assert.ok(jsep);
      const { transport } = readSdp(jsep.sdp);
      const candidates = transport.candidates.filter(
        (text) => text.includes(':') && / [0-9a-f]*:[0-9a-f:]+ \d+ typ/.test(text),
      );
      assert.ok(candidates.length > 0, jsep.sdp);
      await connects(client, handle, peer, { ...transport, candidates });
    } finally {
      await peer.close();
      await client.close();
    }
  });
});
