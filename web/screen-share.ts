import { type BlockMemory, Refused, Room } from '../src/client/index.js';
import { screenOf } from './identity.js';
import type { Identity } from './room.js';
import type { CallServer } from './server-config.js';

const TOKEN_FOR_ONE =
  'Your token is for one user, and a screen is a second one in the room: share it with a token that names no user.';

/** A screen in the room beside its owner's camera, as a user of its own (`identity.ts` says why). */
export class ScreenShare {
  readonly stream: MediaStream;
  /** Resolves when it is over, by whomever; with what went wrong, if something did. */
  readonly ended: Promise<string | null>;
  readonly #room: Room;

  /** @param blocked whom its owner has blocked: they don't see the screen either */
  constructor(server: CallServer, owner: Identity, stream: MediaStream, blocked: BlockMemory) {
    this.stream = stream;
    const identity = { ...owner, user: screenOf(owner.user) };
    this.#room = new Room({ ...server, ...identity, stream, receive: false });
    // Anybody who is there, or comes, and is blocked by the owner.
    this.#room.on('member', ({ id, state, blockedByMe }) => {
      if (state !== 'left' && blocked.has(id) && !blockedByMe) this.setBlocked(id, true);
    });
    let problem: string | null = null;
    this.#room.on('status', (event) => {
      if (event.status !== 'failed') return;
      problem =
        event.problem instanceof Refused && owner.token !== null ? TOKEN_FOR_ONE : (event.problem?.message ?? '');
    });
    // The browser has a button of its own to end it, and a shared window may be closed.
    for (const track of stream.getVideoTracks()) track.addEventListener('ended', () => this.stop());
    this.ended = this.#room.run().then(() => {
      for (const track of stream.getTracks()) track.stop();
      return problem;
    });
  }

  /** The PeerConnection that sends it. */
  get sending(): RTCPeerConnection | null {
    return this.#room.sending;
  }

  get joined(): boolean {
    return this.#room.status === 'joined';
  }

  stop(): void {
    this.#room.leave();
  }

  setBlocked(user: string, blocked: boolean): void {
    // Not in the room yet, or any more: then its owner's blocks are looked up when somebody is met there.
    this.#room.setBlocked(user, blocked).catch(() => {});
  }
}
