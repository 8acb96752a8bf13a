/** What a description of ours says, in a form that tests can compare. */

import { parseDescription, type RemoteDescription } from '../../src/sdp/parse.js';
import type { AnswerFrame, SdpSettings } from '../../src/sdp/write.js';
import type { LocalTransport } from '../../workers/protocol.js';
import { FINGERPRINT } from './sdp-corpus.js';

export const settings: SdpSettings = {
  videoCodecs: ['h264', 'vp8', 'vp9', 'av1'],
  dataChannelMaxMessageSize: 262144,
  subscriberData: true,
};

export const local: LocalTransport = {
  iceUfrag: 'srv1',
  icePwd: 'serverserverserverserver',
  fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
  setup: 'actpass',
  candidates: [],
};

export const frame: AnswerFrame = {
  sessionId: '1234567890',
  version: 7,
  candidates: [
    { foundation: '1', priority: 2130706431, address: '192.0.2.7', port: 51610 },
    { foundation: '2', priority: 2130706175, address: '2001:db8::7', port: 51610 },
  ],
  trickled: false,
  address: '192.0.2.7',
};

/** The description of an SDP that has to be right. */
export function description(sdp: string): RemoteDescription {
  const parsed = parseDescription(sdp);
  if (!parsed.ok) throw new Error(`refused with ${parsed.code} ${parsed.reason}`);
  return parsed.description;
}

/** Why an SDP is refused. */
export function refusal(sdp: string): string {
  const parsed = parseDescription(sdp);
  if (parsed.ok) throw new Error('accepted');
  return `${parsed.code} ${parsed.reason}`;
}

/** The lines of an SDP from each m-line to the next; the session's first. */
export function sections(sdp: string): string[][] {
  const found: string[][] = [[]];
  for (const line of sdp.split('\r\n')) {
    if (line.startsWith('m=')) found.push([]);
    if (line !== '') found.at(-1)?.push(line);
  }
  return found;
}

const TRANSPORT = /^(?:[cost]=|v=|a=(?:ice-|fingerprint|candidate|end-of|rtcp-mux|ssrc|msid:|extmap-allow-mixed))/;

/** The lines that differ between clients and codecs: no transport, no streams; sorted but for the m-line. */
export function gist(sdp: string): string[][] {
  return sections(sdp).map((lines) => {
    const told = lines.filter((line) => !TRANSPORT.test(line));
    return [...told.filter((line) => line.startsWith('m=')), ...told.filter((line) => !line.startsWith('m=')).sort()];
  });
}
