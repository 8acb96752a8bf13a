import { type BlockMemory, describeError, type Member, NoUdp, Refused, type RoomEvents } from '../src/client/index.js';
import type { ChatPanel } from './chat-panel.js';
import { nameOf, ownerOf, rememberBlocks, screenOf } from './identity.js';
import { type ChosenDevices, openScreen, openSource, type SourceKind } from './media-source.js';
import { type Identity, Room } from './room.js';
import { ScreenShare } from './screen-share.js';
import type { CallServer } from './server-config.js';
import type { MediaSource } from './test-pattern.js';
import { Tile, type TileContent } from './tile.js';

/** How long the tile of somebody who left stays, faded. */
const FAREWELL_MS = 2_500;

export interface CallParts {
  config: CallServer;
  identity: Identity;
  kind: SourceKind;
  devices: ChosenDevices;
  source: MediaSource;
  /** Where the tiles go. */
  tiles: HTMLElement;
  chat: ChatPanel;
  /** The connection is another one now. */
  onStatus: (event: RoomEvents['status']) => void;
  /** What is sent has changed: muted, hidden, another source, a screen. */
  onChange: () => void;
  /** Something that the user should read. Empty: it is over. */
  say: (problem: string) => void;
}

/** One stay in a room: who is there, and what this user sends. */
export class Call {
  readonly identity: Identity;
  readonly #parts: CallParts;
  readonly #room: Room;
  readonly #blocks: BlockMemory;
  readonly #own: Tile;
  readonly #tiles = new Map<string, Tile>();
  #source: MediaSource;
  #kind: SourceKind;
  #devices: ChosenDevices;
  #screen: { share: ScreenShare; tile: Tile } | null = null;
  #joined = false;
  #audioMuted = false;
  #videoHidden = false;
  #silent = false;
  #over = false;
  #changes = 0;

  constructor(parts: CallParts) {
    const { config, identity, source, chat, tiles } = parts;
    this.#parts = parts;
    this.identity = identity;
    this.#source = source;
    this.#kind = parts.kind;
    this.#devices = parts.devices;
    this.#blocks = rememberBlocks(identity.user);
    this.#own = this.#newTile(identity.user, 'own');
    tiles.replaceChildren(this.#own.root);
    this.#room = new Room(config, identity, source.stream, this.#blocks, {
      status: (event) => this.#status(event),
      user: (user) => this.#user(user),
      chat: (from, text) => chat.message(nameOf(from), text),
      muted: (from, muted) => {
        const tile = this.#tiles.get(from);
        if (tile) tile.muted = muted;
      },
    });
    void this.#room.run();
  }

  get kind(): SourceKind {
    return this.#kind;
  }

  get audioMuted(): boolean {
    return this.#audioMuted;
  }

  get videoHidden(): boolean {
    return this.#videoHidden;
  }

  get sharing(): boolean {
    return this.#screen !== null;
  }

  /** Whether there is a picture or a sound to mute. */
  has(kind: 'audio' | 'video'): boolean {
    const tracks = kind === 'audio' ? this.#source.stream?.getAudioTracks() : this.#source.stream?.getVideoTracks();
    return (tracks?.length ?? 0) > 0;
  }

  /** The PeerConnection that sends, while there is one. */
  get sending(): RTCPeerConnection | null {
    return this.#room.sending;
  }

  /** Whether the others are not to be heard. */
  set silent(silent: boolean) {
    this.#silent = silent;
    for (const tile of this.#tiles.values()) tile.silent = silent;
  }

  /** @returns false if there is no connection at the moment */
  write(text: string): boolean {
    if (!this.#room.say(text)) return false;
    this.#parts.chat.message(nameOf(this.identity.user), text);
    return true;
  }

  /** Sends something else. @throws Error with words for the user if it can't be had */
  async change(kind: SourceKind, devices: ChosenDevices): Promise<void> {
    this.#changes += 1;
    const turn = this.#changes;
    const next = await openSource(kind, nameOf(this.identity.user), devices);
    // Another one was chosen while this one was opened.
    if (this.#over || turn !== this.#changes) return next.stop();
    const previous = this.#source;
    this.#source = next;
    this.#kind = kind;
    this.#devices = devices;
    this.#muteTracks();
    this.#darken();
    await this.#send();
    previous.stop();
  }

  muteAudio(muted: boolean): void {
    this.#audioMuted = muted;
    this.#muteTracks();
    this.#own.muted = muted;
    this.#room.muted = muted;
    this.#parts.onChange();
  }

  /** Nothing is sent of a hidden picture, and the camera's light goes out. */
  async hideVideo(hidden: boolean): Promise<void> {
    this.#videoHidden = hidden;
    this.#darken();
    const tracks = this.#source.stream?.getVideoTracks() ?? [];
    if (!hidden && tracks.some(({ readyState }) => readyState === 'ended'))
      await this.change(this.#kind, this.#devices);
    else await this.#send();
  }

  /** Begins to share a screen, or ends it. @throws Error with words for the user if it can't be had */
  async share(): Promise<void> {
    if (this.#screen) return this.#screen.share.stop();
    const stream = await openScreen();
    if (!stream) return;
    if (this.#over || this.#screen) return stream.getTracks().forEach((track) => void track.stop());
    const share = new ScreenShare(this.#parts.config, this.identity, stream, this.#blocks);
    const tile = this.#newTile(screenOf(this.identity.user), 'own');
    this.#screen = { share, tile };
    this.#own.root.after(tile.root);
    tile.show({ state: 'live', note: 'the others see it', stream, pc: null, action: null });
    this.#parts.onChange();
    const problem = await share.ended;
    tile.remove();
    this.#screen = null;
    this.#parts.onChange();
    if (problem) this.#parts.say(problem);
  }

  leave(): void {
    this.#over = true;
    this.#room.leave();
    this.#screen?.share.stop();
    this.#source.stop();
    for (const tile of [this.#own, ...this.#tiles.values()]) tile.remove();
  }

  /** What is not muted goes out from now on. */
  async #send(): Promise<void> {
    const { stream } = this.#source;
    const sent = stream && this.#videoHidden ? new MediaStream(stream.getAudioTracks()) : stream;
    await this.#room.setStream(sent);
    this.#showOwn();
    this.#parts.onChange();
  }

  /** A camera whose picture is hidden is let go. */
  #darken(): void {
    if (!this.#videoHidden || this.#kind !== 'camera') return;
    for (const track of this.#source.stream?.getVideoTracks() ?? []) track.stop();
  }

  #muteTracks(): void {
    for (const track of this.#source.stream?.getAudioTracks() ?? []) track.enabled = !this.#audioMuted;
  }

  #newTile(user: string, kind: 'own' | 'person' | 'screen'): Tile {
    const tile = new Tile({
      user,
      name: nameOf(user),
      kind,
      onAction: () => this.#toggleBlock(user),
      onSoundRefused: () => this.#soundRefused(),
    });
    tile.silent = this.#silent;
    return tile;
  }

  #status(event: RoomEvents['status']): void {
    if (this.#over) return;
    this.#joined = event.status === 'joined';
    this.#showOwn();
    this.#parts.onStatus(event);
  }

  #showOwn(): void {
    const { stream } = this.#source;
    const nothing = stream === null ? 'sending nothing' : '';
    this.#own.show({
      state: this.#joined ? 'live' : 'connecting',
      note: this.#videoHidden && stream ? 'your picture is hidden' : nothing,
      stream: this.#videoHidden ? null : stream,
      pc: this.#room.sending,
      action: null,
    });
  }

  #user(user: Member): void {
    if (this.#over) return;
    const { chat } = this.#parts;
    const owner = ownerOf(user.id);
    let tile = this.#tiles.get(user.id);
    if (user.state === 'left') {
      if (!tile) return;
      this.#tiles.delete(user.id);
      chat.news(owner ? `${nameOf(owner)} shares the screen no more.` : `${nameOf(user.id)} left.`);
      this.#farewell(tile);
      return;
    }
    if (!tile) {
      tile = this.#newTile(user.id, owner ? 'screen' : 'person');
      this.#tiles.set(user.id, tile);
      this.#parts.tiles.append(tile.root);
      chat.news(owner ? `${nameOf(owner)} shares a screen.` : `${nameOf(user.id)} is here.`);
    }
    // Whom one does not want to see, one does not want to read on a screen either.
    if (owner && this.#blocks.has(owner) && !user.blockedByMe) this.#block(user.id, true);
    tile.show(contentOf(user, owner !== null));
  }

  #farewell(tile: Tile): void {
    tile.show({ state: 'left', note: 'left', stream: null, pc: null, action: null });
    setTimeout(() => tile.remove(), FAREWELL_MS);
  }

  /** A screen goes with its owner, both ways. */
  #toggleBlock(id: string): void {
    const user = this.#room.users.get(id);
    if (!user) return;
    const blocked = !user.blockedByMe;
    this.#block(id, blocked);
    if (this.#room.users.has(screenOf(id))) this.#block(screenOf(id), blocked);
    this.#screen?.share.setBlocked(id, blocked);
  }

  #block(id: string, blocked: boolean): void {
    this.#room.setBlocked(id, blocked).catch((error) => this.#parts.say(describeError(error)));
  }

  #soundRefused(): void {
    this.#parts.say('The browser plays sound only after a click: click anywhere on the page.');
    const play = () => {
      this.#parts.say('');
      for (const video of document.querySelectorAll('video')) void video.play();
    };
    document.addEventListener('click', play, { once: true });
  }
}

function contentOf(user: Member, screen: boolean): TileContent {
  const block = user.blockedByMe ? 'blocked by you' : user.blockedByThem ? 'has blocked you' : '';
  const action = user.blockedByMe ? 'Unblock' : 'Block';
  return {
    state: user.state,
    note: block || noteOf(user),
    stream: user.stream,
    pc: user.pc,
    action: screen ? null : action,
  };
}

/** What keeps somebody's picture from coming, if that is worth reading. */
function noteOf({ problem }: Member): string {
  if (problem === null) return '';
  return problem instanceof NoUdp || problem instanceof Refused ? problem.message : 'Trying again …';
}
