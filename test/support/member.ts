/** What test publishers and subscribers share: a Janus handle, what it was told, and its current peer. */

import { MediaPeer } from '../../bench/load/media-peer.js';
import { type RtcpPacket, readRtcp } from '../../bench/load/rtcp.js';
import type { MediaLine } from '../../bench/load/sdp.js';
import type { Handle, HandleEvent, RoomEvent } from '../../src/client/index.js';
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
  readonly handle: Handle;
  /** Events that answered no request. */
  readonly events: HandleEvent[] = [];
  readonly rtcp: ReceivedRtcp[] = [];
  peer: MediaPeer;

  constructor(identity: Identity, handle: Handle) {
    super();
    this.identity = identity;
    this.handle = handle;
    this.peer = new MediaPeer(identity.id);
    handle.on('any', (event) => {
      this.events.push(event);
      this.changed();
    });
  }

  /** Events of one Janus kind: webrtcup, media, hangup, detached, event. */
  told<Kind extends HandleEvent['janus']>(janus: Kind): Extract<HandleEvent, { janus: Kind }>[] {
    const isWanted = (event: HandleEvent): event is Extract<HandleEvent, { janus: Kind }> => event.janus === janus;
    return this.events.filter(isWanted);
  }

  /** Plugin events of one kind: join, leave, blocked, unblocked, data. */
  notices<Kind extends RoomEvent['event']>(event: Kind): Extract<RoomEvent, { event: Kind }>[] {
    const isWanted = (data: object): data is Extract<RoomEvent, { event: Kind }> =>
      'event' in data && data.event === event;
    return this.told('event')
      .map(({ plugindata }) => plugindata.data)
      .filter(isWanted);
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
