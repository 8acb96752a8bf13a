/**
 * The SDP that libdatachannel sees: one video line that stands for all media of the peer, and one application line.
 *
 * libdatachannel is the ICE, DTLS-SRTP and SCTP transport. With exactly one media line every SSRC and payload type
 * reaches that line's one Track; what browsers see is written by src/sdp.
 */
import type { TransportParameters } from './protocol.js';

export const MEDIA_MID = 'media';
export const DATA_MID = 'data';

/**
 * Writes a remote description.
 *
 * @param mids the lines in the order of the local offer, or [MEDIA_MID, DATA_MID] for an answer of ours
 * @param data whether the application line is in use; a refused one has port 0
 */
export function writeRemoteDescription(remote: TransportParameters, mids: string[], data: boolean): string {
  const active = mids.filter((mid) => mid === MEDIA_MID || data);
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${active.join(' ')}`,
    `a=ice-ufrag:${remote.iceUfrag}`,
    `a=ice-pwd:${remote.icePwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:${remote.fingerprint.algorithm} ${remote.fingerprint.value}`,
    `a=setup:${remote.setup}`,
  ];
  for (const mid of mids) {
    if (mid === MEDIA_MID) {
      lines.push(
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'c=IN IP4 0.0.0.0',
        `a=mid:${mid}`,
        'a=sendrecv',
        'a=rtcp-mux',
        'a=rtpmap:96 VP8/90000',
      );
    } else {
      lines.push(`m=application ${data ? 9 : 0} UDP/DTLS/SCTP webrtc-datachannel`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`);
      if (data) lines.push('a=sendrecv', 'a=sctp-port:5000', 'a=max-message-size:262144');
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Reads our own side's parameters out of a local description of libdatachannel.
 *
 * @throws Error if one is missing: the library's output is not as we know it
 */
export function readLocalDescription(sdp: string): { transport: TransportParameters; mids: string[] } {
  const value = (name: string) => {
    const found = new RegExp(`^a=${name}:(.*)$`, 'm').exec(sdp)?.[1]?.trim();
    if (found === undefined) throw new Error(`libdatachannel's description has no a=${name}`);
    return found;
  };
  const [algorithm = '', hash = ''] = value('fingerprint').split(' ');
  const setup = value('setup');
  if (setup !== 'active' && setup !== 'passive' && setup !== 'actpass')
    throw new Error(`libdatachannel says a=setup:${setup}`);
  return {
    transport: {
      iceUfrag: value('ice-ufrag'),
      icePwd: value('ice-pwd'),
      fingerprint: { algorithm: algorithm.toLowerCase(), value: hash },
      setup,
    },
    mids: [...sdp.matchAll(/^a=mid:(.*)$/gm)].map((match) => (match[1] ?? '').trim()),
  };
}

/**
 * Our role in DTLS: one side's `active` is the other's `passive` (RFC 8842 5.2).
 *
 * @param local what we said
 * @param remoteSdp the other side's description
 */
export function dtlsRole(local: TransportParameters['setup'], remoteSdp: string): TransportParameters['setup'] {
  const remote = /^a=setup:(\w+)/m.exec(remoteSdp)?.[1];
  if (remote === 'active') return 'passive';
  return remote === 'passive' ? 'active' : local;
}
