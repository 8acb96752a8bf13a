/**
 * A publisher in a process of its own, which can be stopped in its tracks as a frozen client is.
 * Started as a program it is that publisher: `peer-process.js URL ROOM USER`, telling its parent its state by IPC.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Observable } from './observable.js';
import { User } from './peer.js';

export interface PeerState {
  /** Labels of channels that were open and are no more. */
  closed: string[];
  /** The last text message of each label. */
  last: Record<string, string>;
}

export class PeerProcess {
  state: PeerState = { closed: [], last: {} };
  readonly #child: ChildProcess;
  readonly #observable = new Observable();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (state: PeerState) => {
      this.state = state;
      this.#observable.changed();
    });
  }

  /** Resolves when the publisher has joined. */
  static async start(url: string, room: string, user: string): Promise<PeerProcess> {
    const peer = new PeerProcess(fork(fileURLToPath(import.meta.url), [url, room, user]));
    await once(peer.#child, 'message');
    return peer;
  }

  async until(condition: (state: PeerState) => boolean, what: string): Promise<void> {
    await this.#observable.until(() => condition(this.state), what, 20_000);
  }

  /** Stops the process, so that it reads nothing and answers nothing. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends the process where it stands: no farewell of any kind. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.resume();
    this.#child.disconnect();
    await ended;
  }
}

async function run(url: string, room: string, id: string): Promise<void> {
  const state: PeerState = { closed: [], last: {} };
  // Who asked for news may be gone before it hears them.
  const tell = () => process.connected && process.send?.(state, () => {});
  const user = await User.connect(url, room, id);
  process.once('disconnect', () => void user.close().finally(() => process.exit(0)));
  const publisher = await user.publish({ audio: false, video: false });
  publisher.peer.onChannel = (label, open) => {
    if (!open) state.closed.push(label);
    tell();
  };
  publisher.peer.onData = (label, data) => {
    if (typeof data === 'string') state.last[label] = data.slice(0, 100);
    tell();
  };
  tell();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = '', room = '', id = ''] = process.argv.slice(2);
  await run(url, room, id);
}
