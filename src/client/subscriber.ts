import type { Jsep } from '../sfu/wire.js';
import { type Deferred, deferred } from './deferred.js';
import { Emitter } from './emitter.js';
import { type IceServer, newStream, type Peer, type Stream, type Track } from './environment.js';
import { asError, HungUp, NoAnswer, Removed } from './errors.js';
import type { Handle } from './handle.js';
import { newPeer, RemoteCandidates, TaskQueue, untilConnected, whenFailed } from './peer.js';

/** What a subscriber tells. */
export interface SubscriberEvents {
  /** A track of the publisher's has come; `stream` holds all of them, where the platform has streams. */
  track: { track: Track; stream: Stream | null };
}

/** What a user gets from one other: the PeerConnection of a handle of its own, offered by the server. */
export class Subscriber extends Emitter<SubscriberEvents> {
  readonly handle: Handle;
  readonly pc: Peer;
  readonly stream: Stream | null;
  /** Resolves when the PeerConnection is of no more use, with the reason. */
  readonly lost: Promise<Error>;
  readonly #lost: Deferred<Error> = deferred();
  readonly #negotiations = new TaskQueue();
  readonly #candidates: RemoteCandidates;
  readonly #off: (() => void)[];
  #closed = false;

  /** @throws {Unsupported} without RTCPeerConnection */
  constructor(handle: Handle, { iceServers = [] }: { iceServers?: IceServer[] } = {}) {
    super();
    this.handle = handle;
    this.lost = this.#lost.promise;
    this.pc = newPeer(handle, iceServers);
    this.stream = newStream(handle.session.environment);
    this.#candidates = new RemoteCandidates(this.pc);
    this.pc.addEventListener('track', ({ track }: { track: Track }) => {
      this.stream?.addTrack(track);
      this.emit('track', { track, stream: this.stream });
    });
    whenFailed(this.pc, this.#lost.resolve);
    this.#off = [
      handle.on('trickle', (candidate) => this.#candidates.add(candidate)),
      handle.on('offer', (offer) => {
        this.#negotiations.add(() => this.#answer(offer)).catch((error) => this.#lost.resolve(asError(error)));
      }),
      handle.on('hangup', ({ reason }) => this.#lost.resolve(new HungUp(reason))),
      // A handle of its own is no place in the room: who is removed learns it by the publisher's.
      handle.on('detached', ({ problem }) =>
        this.#lost.resolve(problem instanceof Removed ? new HungUp('detached') : problem),
      ),
    ];
  }

  /**
   * Subscribes to a user's audio and video, and waits until they can flow.
   *
   * @throws {Refused} if there is no such publisher, {NoUdp} if no packet gets through
   */
  async subscribe(place: { room: string; user: string; token?: string | null }, publisher: string): Promise<void> {
    const { offer } = await this.handle.join({ ...place, subscribe: { media: publisher } });
    if (!offer) throw new NoAnswer('join', 'the subscription came without an offer');
    await this.#negotiations.add(() => this.#answer(offer));
    await untilConnected(this.pc);
  }

  /** Closes the PeerConnection and ends the handle. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const off of this.#off) off();
    this.pc.close();
    this.handle.detach().catch(() => {});
  }

  async #answer(offer: Jsep): Promise<void> {
    if (this.#closed) return;
    await this.pc.setRemoteDescription(offer);
    this.#candidates.release();
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    const answer = this.pc.localDescription;
    if (answer && !this.#closed) await this.handle.answer(answer.sdp);
  }
}
