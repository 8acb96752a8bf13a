/** The RTP header extensions (RFC 8285) that the relay knows, by URI. */
import type { HeaderExtensions, MediaKind } from '../../workers/protocol.js';

type ExtensionName = keyof HeaderExtensions;

const KNOWN: readonly { name: ExtensionName; uri: string; kinds: readonly MediaKind[]; ownId: number }[] = [
  { name: 'audioLevel', uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', kinds: ['audio'], ownId: 1 },
  {
    name: 'absSendTime',
    uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    kinds: ['audio', 'video'],
    ownId: 2,
  },
  {
    name: 'transportCc',
    uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    kinds: ['video'],
    ownId: 3,
  },
  { name: 'mid', uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', kinds: ['audio', 'video'], ownId: 4 },
  { name: 'videoOrientation', uri: 'urn:3gpp:video-orientation', kinds: ['video'], ownId: 5 },
  {
    name: 'playoutDelay',
    uri: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
    kinds: ['video'],
    ownId: 6,
  },
];

/** The ids under which a client's line offers extensions that we know for its kind. */
export function acceptExtensions(kind: MediaKind, offered: readonly { id: number; uri: string }[]): HeaderExtensions {
  const accepted: HeaderExtensions = {};
  for (const { id, uri } of offered) {
    const known = KNOWN.find((one) => one.uri === uri && one.kinds.includes(kind));
    if (known) accepted[known.name] = id;
  }
  return accepted;
}

/**
 * What our offers to subscribers list, the same for every subscriber and publisher: with a change of publisher or
 * codec there is nothing to negotiate anew. `mid` is not in it, a subscriber's streams are known by SSRC; nor transport-cc,
 * which publishers' packets alone have.
 */
export function ownExtensions(kind: MediaKind): HeaderExtensions {
  const own: HeaderExtensions = {};
  for (const { name, kinds, ownId } of KNOWN) {
    if (name !== 'mid' && name !== 'transportCc' && kinds.includes(kind)) own[name] = ownId;
  }
  return own;
}

/** The negotiated ids by URI. */
export function extensionIds(extensions: HeaderExtensions): Record<string, number> {
  return Object.fromEntries(
    KNOWN.flatMap(({ name, uri }): [string, number][] => {
      const id = extensions[name];
      return id === undefined ? [] : [[uri, id]];
    }),
  );
}

/** The a=extmap lines, by id. */
export function extensionLines(extensions: HeaderExtensions): string[] {
  const entries: { id: number; uri: string }[] = [];
  for (const { name, uri } of KNOWN) {
    const id = extensions[name];
    if (id !== undefined) entries.push({ id, uri });
  }
  return entries.sort((a, b) => a.id - b.id).map(({ id, uri }) => `a=extmap:${id} ${uri}`);
}
