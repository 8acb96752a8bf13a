/** What test publishers and subscribers share: a Janus handle, what it was told, and its current peer. */

import type { JanusHandle, JanusMessage } from '../../bench/load/janus-link.js';
import { MediaPeer } from '../../bench/load/media-peer.js';
import { type RtcpPacket, readRtcp } from '../../bench/load/rtcp.js';
import type { MediaLine } from '../../bench/load/sdp.js';
import { Observable } from './observable.js';

export type MediaKind = 'audio' | 'video';

/** Whom a member acts for. */
export interface Identity {
  room: string;
  id: string;
}

export interface ReceivedRtcp {
  /** Milliseconds, this process's clock. */
  at: number;
  packet: RtcpPacket;
}

export class Member extends Observable {
  readonly identity: Identity;
  readonly handle: JanusHandle;
  /** Events that answered no request. */
  readonly events: JanusMessage[] = [];
  readonly rtcp: ReceivedRtcp[] = [];
  peer: MediaPeer;

  constructor(identity: Identity, handle: JanusHandle) {
    super();
    this.identity = identity;
    this.handle = handle;
    this.peer = new MediaPeer(identity.id);
    handle.on('event', (event) => {
      this.events.push(event);
      this.changed();
    });
  }

  /** Events of one Janus kind: webrtcup, media, hangup, detached, event. */
  told(janus: string): JanusMessage[] {
    return this.events.filter((event) => event.janus === janus);
  }

  /** Plugin events of one kind: join, leave, blocked, unblocked, data. */
  notices(event: string): Record<string, unknown>[] {
    return this.told('event').flatMap(({ plugindata }) => (plugindata?.data.event === event ? [plugindata.data] : []));
  }

  /** RTCP packets of one kind so far. */
  reports<Kind extends RtcpPacket['kind']>(kind: Kind): Extract<RtcpPacket, { kind: Kind }>[] {
    const isWanted = (packet: RtcpPacket): packet is Extract<RtcpPacket, { kind: Kind }> => packet.kind === kind;
    return this.rtcp.map(({ packet }) => packet).filter(isWanted);
  }

  async close(): Promise<void> {
    await this.peer.close();
  }

  protected receiveRtcp(compound: Buffer): RtcpPacket[] {
    const packets = readRtcp(compound);
    for (const packet of packets) this.rtcp.push({ at: performance.now(), packet });
    return packets;
  }
}

/** The accepted line of a kind, if there is one. */
export function acceptedLine(lines: MediaLine[], kind: string): MediaLine | undefined {
  return lines.find((line) => line.kind === kind && line.port !== 0);
}
