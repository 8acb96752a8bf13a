import type { JanusHandle, Jsep, Signal } from './janus-connection.js';
import { asError, type Deferred, deferred, makePeer, TaskQueue, untilConnected } from './peer.js';

/** What this page gets from one user: a handle and a PeerConnection of its own, offered by the server. */
export class Subscriber {
  readonly pc: RTCPeerConnection;
  /** Resolves when the PeerConnection is of no more use. */
  readonly lost: Promise<Error>;
  readonly #lost: Deferred<Error> = deferred();
  readonly #handle: JanusHandle;
  readonly #negotiations = new TaskQueue();
  readonly #stream = new MediaStream();

  /** @param onStream called with the publisher's tracks whenever one comes */
  constructor(handle: JanusHandle, iceServers: RTCIceServer[], onStream: (stream: MediaStream) => void) {
    this.lost = this.#lost.promise;
    this.#handle = handle;
    this.pc = makePeer(handle, iceServers);
    this.pc.addEventListener('track', ({ track }) => {
      this.#stream.addTrack(track);
      onStream(this.#stream);
    });
    this.pc.addEventListener('connectionstatechange', () => {
      if (this.pc.connectionState === 'failed') this.#lost.resolve(new Error('The connection was lost.'));
    });
    handle.onSignal = (signal) => this.#receive(signal);
  }

  /**
   * Subscribes to a user's audio and video.
   * @throws {Refused} if there is no such publisher, {NoUdp} if no packet gets through
   */
  async subscribe(room: string, user: string, publisher: string, token: string | null): Promise<void> {
    const { jsep } = await this.#handle.message({
      kind: 'join',
      room_id: room,
      user_id: user,
      subscribe: { media: publisher },
      ...(token === null ? {} : { token }),
    });
    if (!jsep) throw new Error('The server answered the subscription without an offer.');
    await this.#negotiations.add(() => this.#answer(jsep));
    await untilConnected(this.pc);
  }

  close(): void {
    this.#handle.onSignal = () => {};
    this.pc.close();
    this.#handle.detach();
  }

  #receive({ janus, jsep, reason }: Signal): void {
    if (jsep?.type === 'offer') {
      this.#negotiations.add(() => this.#answer(jsep)).catch((error) => this.#lost.resolve(asError(error)));
    }
    if (janus === 'hangup' || janus === 'detached') {
      this.#lost.resolve(new Error(`The server hung up: ${reason ?? 'no reason given'}.`));
    }
  }

  async #answer(offer: Jsep): Promise<void> {
    await this.pc.setRemoteDescription(offer);
    await this.pc.setLocalDescription();
    const answer = this.pc.localDescription;
    if (answer) await this.#handle.message({}, { type: 'answer', sdp: answer.sdp });
  }
}
