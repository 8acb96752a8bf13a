import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeWebrtc } from '../../src/janus/admin/webrtc-info.js';
import { parseDescription } from '../../src/sdp/parse.js';
import { planPublisher } from '../../src/sdp/publisher.js';
import type { SfuHandle } from '../../src/sfu/handle.js';
import type { HandleDescription, PeerDescription, StreamDescription } from '../../workers/protocol.js';
import { quietHandle } from '../support/quiet-handle.js';
import { FINGERPRINT, PWD, UFRAG } from '../support/sdp-corpus.js';

const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
  `a=ice-ufrag:${UFRAG}`,
  `a=ice-pwd:${PWD}`,
  'a=setup:actpass',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'a=mid:0',
  'a=sctp-port:5000',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:mic',
  'a=sendonly',
  'a=rtpmap:111 opus/48000/2',
  'a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:second',
  'a=sendonly',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

const fingerprint = { algorithm: 'sha-256', value: FINGERPRINT };

const PEER: PeerDescription = {
  state: 'connected',
  iceState: 'completed',
  connected: true,
  dtlsRole: 'active',
  localFingerprint: fingerprint,
  remoteFingerprint: fingerprint,
  selectedPair: null,
  dataBytesSent: 20,
  dataBytesReceived: 10,
  age: 1000,
  localCandidates: [{ foundation: '1', priority: 7, address: '192.0.2.1', port: 50_000 }],
  channels: [{ label: 'reliable', open: true }],
};

const AUDIO: StreamDescription = {
  kind: 'audio',
  direction: 'up',
  ssrc: 77,
  packets: 5,
  bytes: 500,
  lost: 2,
  jitter: 0.5,
  roundTripTime: null,
  keyframeRequests: 0,
  nacks: 3,
  retransmissions: 1,
};

function publisher(): SfuHandle {
  const parsed = parseDescription(OFFER);
  assert.ok(parsed.ok);
  const plan = planPublisher(parsed.description, {
    videoCodecs: ['vp8'],
    dataChannelMaxMessageSize: 65_536,
    subscriberData: true,
  });
  return { ...quietHandle(1), sdpVersion: 1, shard: 0, peer: { role: 'publisher', plan }, lastPlan: plan };
}

interface Webrtc {
  ice: Record<string, unknown>;
  dtls: Record<string, unknown>;
  extensions: object;
  media: Record<string, unknown>;
}

function describePeer(peer: Partial<PeerDescription>): Webrtc {
  const description: HandleDescription = { peer: { ...PEER, ...peer }, streams: [AUDIO] };
  const webrtc = describeWebrtc(publisher(), description);
  assert.ok(webrtc);
  return webrtc as Webrtc;
}

describe('webrtc of handle_info', () => {
  test('has each taken line under its mid, with what the engine counts', () => {
    const { media, extensions } = describePeer({});
    assert.deepEqual(extensions, { 'urn:ietf:params:rtp-hdrext:ssrc-audio-level': 3 });
    assert.deepEqual(media, {
      '0': {
        type: 'data',
        mindex: 0,
        mid: '0',
        channels: [{ label: 'reliable', open: true }],
        stats: { in: { bytes: 10 }, out: { bytes: 20 } },
      },
      mic: {
        type: 'audio',
        mindex: 1,
        mid: 'mic',
        ssrc: { 'ssrc-peer': 77 },
        direction: { send: false, recv: true },
        codecs: { pt: 111, codec: 'opus' },
        rtcp: { main: { base: 48_000, lost: 2, 'jitter-local': 0.5 } },
        stats: { in: { packets: 5, bytes: 500, nacks: 3, retransmissions: 1 }, out: { packets: 0, bytes: 0 } },
      },
    });
  });

  test('writes the pair of addresses as Janus does, IPv6 in brackets', () => {
    const end = (address: string, type: string) => ({ address, port: 5000, type, protocol: 'udp' });
    const pair = { local: end('2001:db8::1', 'host'), remote: end('192.0.2.7', 'prflx') };
    assert.equal(
      describePeer({ selectedPair: pair }).ice['selected-pair'],
      '[2001:db8::1]:5000 [host,udp] <-> 192.0.2.7:5000 [prflx,udp]',
    );
    assert.ok(!('selected-pair' in describePeer({}).ice));
    assert.deepEqual(describePeer({}).ice['local-candidates'], ['1 1 udp 7 192.0.2.1 50000 typ host']);
  });

  test('has Janus’ words for the state of DTLS', () => {
    const stateOf = (peer: Partial<PeerDescription>) => describePeer(peer).dtls['dtls-state'];
    assert.equal(stateOf({}), 'connected');
    assert.equal(stateOf({ connected: false }), 'trying');
    assert.equal(stateOf({ connected: false, iceState: 'checking' }), 'created');
    assert.equal(stateOf({ connected: false, state: 'failed' }), 'failed');
  });

  test('is nothing without a PeerConnection', () => {
    assert.equal(describeWebrtc(publisher(), { peer: null, streams: [] }), null);
    assert.equal(describeWebrtc({ ...publisher(), peer: null }, { peer: PEER, streams: [] }), null);
  });
});
