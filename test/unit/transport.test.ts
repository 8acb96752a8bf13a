import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostCandidates } from '../../workers/host-candidates.js';
import type { TransportParameters } from '../../workers/protocol.js';
import { dtlsRole, readLocalDescription, writeRemoteDescription } from '../../workers/transport-sdp.js';

const address = (family: 'IPv4' | 'IPv6', value: string, internal = false) =>
  ({
    address: value,
    family,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    ...(family === 'IPv6' ? { scopeid: 0 } : {}),
  }) as never;

const remote: TransportParameters = {
  iceUfrag: 'user',
  icePwd: 'password-of-22-letters',
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  setup: 'actpass',
};

describe('hostCandidates', () => {
  test('offers each address once, IPv4 before IPv6, without loopback and link-local ones', () => {
    const candidates = hostCandidates(51610, {
      lo: [address('IPv4', '127.0.0.1', true)],
      eth0: [address('IPv6', 'fe80::1'), address('IPv6', 'fd00::2'), address('IPv4', '192.0.2.2')],
      eth1: [address('IPv4', '192.0.2.2'), address('IPv4', '198.51.100.7')],
    });
    assert.deepEqual(
      candidates.map((one) => one.address),
      ['192.0.2.2', '198.51.100.7', 'fd00::2'],
    );
    assert.ok(candidates.every((one) => one.port === 51610));
  });

  test('gives each its own foundation and a falling priority of host type', () => {
    const [first, second] = hostCandidates(1, { a: [address('IPv4', '192.0.2.1'), address('IPv4', '192.0.2.2')] });
    assert.equal(first?.priority, 126 * 2 ** 24 + 65535 * 2 ** 8 + 255);
    assert.ok((first?.priority ?? 0) > (second?.priority ?? 0));
    assert.notEqual(first?.foundation, second?.foundation);
  });
});

describe('the description that libdatachannel gets', () => {
  test('has one video line for all media and the data line in its bundle', () => {
    const sdp = writeRemoteDescription(remote, ['media', 'data'], true);
    assert.deepEqual(sdp.match(/^m=\w+ \d+/gm), ['m=video 9', 'm=application 9']);
    assert.match(sdp, /^a=group:BUNDLE media data\r$/m);
    assert.match(sdp, /^a=sctp-port:5000\r$/m);
  });

  test('refuses the data line with port 0 and leaves it out of the bundle when the client refused it', () => {
    const sdp = writeRemoteDescription(remote, ['media', 'data'], false);
    assert.deepEqual(sdp.match(/^m=\w+ \d+/gm), ['m=video 9', 'm=application 0']);
    assert.match(sdp, /^a=group:BUNDLE media\r$/m);
    assert.doesNotMatch(sdp, /sctp-port/);
  });

  test('is read back to the same parameters', () => {
    const read = readLocalDescription(writeRemoteDescription(remote, ['media', 'data'], true));
    assert.deepEqual(read.transport, remote);
    assert.deepEqual(read.mids, ['media', 'data']);
  });

  test('is refused with the missing attribute’s name when it is not as we know it', () => {
    assert.throws(() => readLocalDescription('v=0\r\n'), /a=fingerprint|a=ice-ufrag/);
  });
});

describe('our DTLS role', () => {
  const withSetup = (setup: TransportParameters['setup']) =>
    writeRemoteDescription({ ...remote, setup }, ['media'], false);

  test('is the other of the two that the client chose', () => {
    assert.equal(dtlsRole('actpass', withSetup('active')), 'passive');
    assert.equal(dtlsRole('actpass', withSetup('passive')), 'active');
  });

  test('is ours to say where the client leaves it to us, or has not answered', () => {
    assert.equal(dtlsRole('active', withSetup('actpass')), 'active');
    assert.equal(dtlsRole('actpass', ''), 'actpass');
  });
});
