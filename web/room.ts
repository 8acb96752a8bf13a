import { type BlockMemory, Room as ClientRoom, type Member, type RoomEvents } from '../src/client/index.js';
import { screenOf } from './identity.js';
import type { CallServer } from './server-config.js';

const LONGEST_CHAT = 2_000;

export interface Identity {
  room: string;
  user: string;
  token: string | null;
}

export interface PageEvents {
  status(event: RoomEvents['status']): void;
  user(member: Member): void;
  chat(from: string, text: string): void;
  /** Somebody's microphone is muted, or not any more. */
  muted(from: string, muted: boolean): void;
}

/** What travels on the data channels: the form that networked-aframe's adapter uses too. */
interface DataMessage {
  dataType: string;
  data: unknown;
}

/** The client's room, and the chat in it. */
export class Room {
  readonly identity: Identity;
  readonly #room: ClientRoom;
  readonly #events: PageEvents;
  #muted = false;

  constructor(
    server: CallServer,
    identity: Identity,
    stream: MediaStream | null,
    blocked: BlockMemory,
    events: PageEvents,
  ) {
    this.identity = identity;
    this.#events = events;
    const ownScreen = screenOf(identity.user);
    const receive = (user: string) => user !== ownScreen;
    this.#room = new ClientRoom({ ...server, ...identity, stream, blocked, receive });
    this.#room.on('status', (event) => {
      events.status(event);
      if (event.status === 'joined') this.#tellMuted(true);
    });
    this.#room.on('member', (member) => {
      if (member.id !== ownScreen) events.user(member);
    });
    this.#room.on('message', ({ data }) => this.#message(parseMessage(data)));
    // Who comes asks the others, as soon as there are both a room and a channel; who is not muted has nothing to answer.
    this.#room.on('channel', ({ label, open }) => {
      if (open && label === 'reliable') this.#tellMuted(true);
    });
  }

  get users(): ReadonlyMap<string, Member> {
    return this.#room.members;
  }

  /** The PeerConnection that sends, while there is one. */
  get sending(): RTCPeerConnection | null {
    return this.#room.sending;
  }

  /** Runs until `leave` or a final refusal; never rejects. */
  run(): Promise<void> {
    return this.#room.run();
  }

  leave(): void {
    this.#room.leave();
  }

  setStream(stream: MediaStream | null): Promise<void> {
    return this.#room.setStream(stream);
  }

  setBlocked(id: string, blocked: boolean): Promise<void> {
    return this.#room.setBlocked(id, blocked);
  }

  /** @returns false if there is no open channel at the moment */
  say(text: string): boolean {
    return this.#send('chat', { from: this.identity.user, text: text.slice(0, LONGEST_CHAT) });
  }

  /** What the others are told of this user's microphone, now and when they come. */
  set muted(muted: boolean) {
    this.#muted = muted;
    this.#tellMuted(false);
  }

  #tellMuted(ask: boolean): void {
    this.#send('microphone', { from: this.identity.user, muted: this.#muted, ask });
  }

  #send(dataType: string, data: object): boolean {
    const message: DataMessage = { dataType, data };
    return this.#room.send(JSON.stringify(message));
  }

  #message(message: DataMessage | null): void {
    const { dataType, data } = message ?? {};
    if (typeof data !== 'object' || data === null || !('from' in data) || typeof data.from !== 'string') return;
    if (dataType === 'chat' && 'text' in data && typeof data.text === 'string') {
      this.#events.chat(data.from, data.text.slice(0, LONGEST_CHAT));
    } else if (dataType === 'microphone' && 'muted' in data && typeof data.muted === 'boolean') {
      this.#events.muted(data.from, data.muted);
      if (this.#muted && 'ask' in data && data.ask === true) this.#tellMuted(false);
    }
  }
}

/** Others' messages are theirs to write: what isn't ours to read is null. */
function parseMessage(data: unknown): DataMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message !== 'object' || message === null || !('dataType' in message) || !('data' in message))
      return null;
    return typeof message.dataType === 'string' ? { dataType: message.dataType, data: message.data } : null;
  } catch {
    return null;
  }
}
