/**
 * Data channel messages: from one client of a room to the room's publishers, by label, on this shard and on others.
 *
 * Nobody waits for anybody: a receiver that is too slow loses messages of unreliable labels, and other channels of it
 * are closed, so that it can see that something is missing.
 */
import type { ShardCounters } from './counters.js';
import type { Engine } from './engine.js';
import type { Channel, Member } from './member.js';
import type { DataChannel } from './native.js';
import type { RoomNumber, ShardNumber, ShardSettings, UserNumber } from './protocol.js';
import type { Ring } from './ring.js';

/** Bytes of a label or protocol that are relayed; longer ones are of no known client (Janus cuts at 127). */
const MAX_NAME = 127;
/** Bytes of a record's fixed head: room, user, kind, label length, protocol length, one spare. */
const HEAD = 12;
const TEXT = 1;

interface Message {
  room: RoomNumber;
  user: UserNumber;
  label: string;
  protocol: string;
  content: string | Buffer;
  /** Bytes of the content on the wire. */
  size: number;
}

export interface DataRelayParts {
  engine: Engine;
  counters: ShardCounters;
  settings: ShardSettings;
  /** The rings to the other shards, null for this one. */
  outgoing: (Ring | null)[];
  /** The rings from the other shards. */
  incoming: Ring[];
  /** Wakes another shard to read its rings. */
  ring: (shard: ShardNumber) => void;
}

export class DataRelay {
  private readonly parts: DataRelayParts;
  private readonly rooms = new Map<RoomNumber, Set<Member>>();
  private readonly roomShards = new Map<RoomNumber, ShardNumber[]>();

  constructor(parts: DataRelayParts) {
    this.parts = parts;
  }

  /** A publisher of a room lives here now. */
  join(member: Member): void {
    const members = this.rooms.get(member.room) ?? new Set();
    members.add(member);
    this.rooms.set(member.room, members);
  }

  leave(member: Member): void {
    const members = this.rooms.get(member.room);
    if (!members?.delete(member) || members.size > 0) return;
    this.rooms.delete(member.room);
    this.roomShards.delete(member.room);
  }

  /** Which shards, this one among them or not, have publishers of a room. */
  setRoomShards(room: RoomNumber, shards: ShardNumber[]): void {
    const others = shards.filter((shard) => this.parts.outgoing[shard]);
    if (others.length > 0) this.roomShards.set(room, others);
    else this.roomShards.delete(room);
  }

  /** A client opened a channel, or one of ours is open: what waited for it goes out. */
  channelOpen(member: Member, native: DataChannel): void {
    const label = native.getLabel();
    const waiting = member.channels.get(label)?.waiting ?? [];
    const channel: Channel = { native, open: true, waiting: [], waitingBytes: 0 };
    member.channels.set(label, channel);
    for (const content of waiting) this.transmit(channel, content);
  }

  channelClosed(member: Member, native: DataChannel): void {
    for (const [label, channel] of member.channels) {
      if (channel.native === native) member.channels.delete(label);
    }
  }

  /** A client sent a message on one of its channels. Nothing is relayed before it joined; empty ones never are (as Janus). */
  receive(sender: Member, native: DataChannel, content: string | Buffer): void {
    this.parts.counters.add('dataReceived');
    if (sender.room === 0 || content.length === 0) return;
    const size = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
    const label = native.getLabel();
    const protocol = native.getProtocol();
    const message = { room: sender.room, user: sender.user, label, protocol, content, size };
    if (Buffer.byteLength(label) > MAX_NAME || Buffer.byteLength(protocol) > MAX_NAME) {
      this.parts.counters.add('dataDropped');
      return;
    }
    this.deliver(message, sender);
    const shards = this.roomShards.get(sender.room);
    if (shards) this.toShards(message, shards);
  }

  /** Reads what other shards have for this one's clients. */
  drain(): void {
    for (const ring of this.parts.incoming) {
      for (let record = ring.read(); record; record = ring.read()) {
        const message = decode(record);
        if (message) this.deliver(message, null);
      }
    }
  }

  private toShards(message: Message, shards: ShardNumber[]): void {
    const { head, body } = encode(message);
    for (const shard of shards) {
      const ring = this.parts.outgoing[shard];
      if (ring?.write(head, body)) {
        this.parts.counters.add('dataToShards');
        this.parts.ring(shard);
      } else {
        this.parts.counters.add('dataRingFull');
      }
    }
  }

  private deliver(message: Message, sender: Member | null): void {
    for (const member of this.rooms.get(message.room) ?? []) {
      if (member === sender || !member.peer?.connected) continue;
      if (member.user !== message.user && this.parts.engine.isBlocked(member.user, message.user)) continue;
      this.send(member, message);
    }
  }

  private send(member: Member, message: Message): void {
    const { settings, counters } = this.parts;
    const channel = member.channels.get(message.label) ?? this.open(member, message);
    if (!channel?.native) {
      counters.add('dataDropped');
    } else if (!channel.open) {
      if (channel.waitingBytes + message.size > settings.dataBacklogMax) {
        counters.add('dataDropped');
        return;
      }
      channel.waiting.push(message.content);
      channel.waitingBytes += message.size;
    } else if (channel.native.bufferedAmount() + message.size > settings.dataBacklogMax) {
      counters.add('dataDropped');
      if (!settings.unreliableLabels.includes(message.label)) this.closeSlow(channel);
    } else {
      this.transmit(channel, message.content);
    }
  }

  /** Opens a channel of the message's label to a client that has none. */
  private open(member: Member, message: Message): Channel | null {
    const native = member.peer?.openChannel(message.label, message.protocol) ?? null;
    if (!native) return null;
    const channel: Channel = { native, open: false, waiting: [], waitingBytes: 0 };
    member.channels.set(message.label, channel);
    return channel;
  }

  private closeSlow(channel: Channel): void {
    this.parts.counters.add('dataChannelsClosed');
    channel.native?.close();
    channel.native = null;
  }

  private transmit(channel: Channel, content: string | Buffer): void {
    if (!channel.native) return;
    try {
      if (typeof content === 'string') channel.native.sendMessage(content);
      else channel.native.sendMessageBinary(content);
      this.parts.counters.add('dataSent');
    } catch {
      // The channel closed between its last news and now.
      this.parts.counters.add('dataDropped');
    }
  }
}

function encode(message: Message): { head: Buffer; body: Buffer } {
  const label = Buffer.from(message.label);
  const protocol = Buffer.from(message.protocol);
  const head = Buffer.alloc(HEAD + label.length + protocol.length);
  head.writeUInt32LE(message.room, 0);
  head.writeUInt32LE(message.user, 4);
  head.writeUInt8(typeof message.content === 'string' ? TEXT : 0, 8);
  head.writeUInt8(label.length, 9);
  head.writeUInt8(protocol.length, 10);
  label.copy(head, HEAD);
  protocol.copy(head, HEAD + label.length);
  return { head, body: typeof message.content === 'string' ? Buffer.from(message.content) : message.content };
}

/** null for a record that no shard of ours wrote. */
function decode(record: Buffer): Message | null {
  if (record.length < HEAD) return null;
  const labelEnd = HEAD + record.readUInt8(9);
  const protocolEnd = labelEnd + record.readUInt8(10);
  if (record.length < protocolEnd) return null;
  const body = record.subarray(protocolEnd);
  return {
    room: record.readUInt32LE(0),
    user: record.readUInt32LE(4),
    label: record.toString('utf8', HEAD, labelEnd),
    protocol: record.toString('utf8', labelEnd, protocolEnd),
    content: record.readUInt8(8) === TEXT ? body.toString('utf8') : body,
    size: body.length,
  };
}
