import { describeError, type Member, NoUdp, Refused, type RoomEvents, type RoomStatus } from '../src/client/index.js';
import { ChatPanel } from './chat-panel.js';
import { nameOf, rememberBlocks, userId } from './identity.js';
import { isSourceKind, openSource, type SourceKind } from './media-source.js';
import { Room } from './room.js';
import { loadConfig, type ServerConfig } from './server-config.js';
import type { MediaSource } from './test-pattern.js';
import { Tile } from './tile.js';

/** How long the tile of somebody who left stays, faded. */
const FAREWELL_MS = 2_500;

const STATUS_WORDS: Record<RoomStatus, string> = {
  connecting: 'connecting …',
  joined: 'connected',
  reconnecting: 'reconnecting …',
  failed: 'not connected',
  left: 'not connected',
};

function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with the id "${id}"`);
  return found;
}

const lobby = byId('lobby', HTMLFormElement);
const call = byId('call', HTMLElement);
const tilesRoot = byId('tiles', HTMLElement);
const controls = byId('controls', HTMLElement);
const statusLine = byId('status', HTMLElement);
const place = byId('place', HTMLElement);
const notice = byId('notice', HTMLElement);
const sourceSelect = byId('source', HTMLSelectElement);
const soundButton = byId('sound', HTMLButtonElement);
const roomInput = byId('room', HTMLInputElement);
const nameInput = byId('name', HTMLInputElement);
const tokenInput = byId('token', HTMLInputElement);
const textInput = byId('text', HTMLInputElement);
const chat = new ChatPanel(byId('messages', HTMLElement));

/** All that belongs to one stay in a room. */
interface Stay {
  room: Room;
  source: MediaSource;
  ownTile: Tile;
  tiles: Map<string, Tile>;
}

let stay: Stay | null = null;
let silent = false;

function say(problem: string): void {
  notice.textContent = problem;
  notice.hidden = problem === '';
}

function showStatus(current: Stay, { status, problem, retryMs }: RoomEvents['status']): void {
  if (stay !== current) return;
  statusLine.dataset.status = status;
  statusLine.textContent = STATUS_WORDS[status];
  if (status === 'joined') {
    say('');
    chat.news(`You are in the room “${current.room.identity.room}”.`);
  } else if (problem !== null) {
    const again = status === 'reconnecting' ? ` Trying again in ${Math.ceil(retryMs / 1000)} s.` : '';
    say(describeError(problem) + again);
  }
  showOwnTile(current);
  if (status === 'failed') backToLobby(current);
}

function showOwnTile({ room, ownTile, source }: Stay): void {
  const joined = statusLine.dataset.status === 'joined';
  const note = source.stream ? '' : 'sending nothing';
  ownTile.show({ state: joined ? 'live' : 'connecting', note, stream: source.stream, pc: room.sending, action: null });
}

function showUser(current: Stay, user: Member): void {
  if (stay !== current) return;
  let tile = current.tiles.get(user.id);
  if (user.state === 'left') {
    if (!tile) return;
    tile.show({ state: 'left', note: 'left', stream: null, pc: null, action: null });
    current.tiles.delete(user.id);
    chat.news(`${nameOf(user.id)} left.`);
    const leaving = tile;
    setTimeout(() => leaving.remove(), FAREWELL_MS);
    return;
  }
  if (!tile) {
    tile = new Tile(user.id, nameOf(user.id), false, () => toggleBlock(current, user.id), soundRefused);
    tile.silent = silent;
    current.tiles.set(user.id, tile);
    tilesRoot.append(tile.root);
    chat.news(`${nameOf(user.id)} is here.`);
  }
  const blockNote = user.blockedByMe ? 'blocked by you' : user.blockedByThem ? 'has blocked you' : '';
  tile.show({
    state: user.state,
    note: blockNote || noteOf(user),
    stream: user.stream,
    pc: user.pc,
    action: user.blockedByMe ? 'Unblock' : 'Block',
  });
}

/** What keeps somebody's picture from coming, if that is worth reading. */
function noteOf({ problem }: Member): string {
  if (problem === null) return '';
  return problem instanceof NoUdp || problem instanceof Refused ? problem.message : 'Trying again …';
}

function toggleBlock({ room }: Stay, id: string): void {
  const user = room.users.get(id);
  if (user) room.setBlocked(id, !user.blockedByMe).catch((error) => say(describeError(error)));
}

function soundRefused(): void {
  say('The browser plays sound only after a click: click anywhere on the page.');
  const play = () => {
    say('');
    for (const video of document.querySelectorAll('video')) void video.play();
  };
  document.addEventListener('click', play, { once: true });
}

async function enter(config: ServerConfig, kind: SourceKind): Promise<void> {
  say('');
  const name = nameInput.value.trim();
  const identity = { room: roomInput.value.trim(), user: userId(name), token: tokenInput.value.trim() || null };
  const asked = new URLSearchParams(window.location.search).get('user');
  if (asked) identity.user = asked;
  const source = await openSource(kind, name);
  const room = new Room(config, identity, source.stream, rememberBlocks(identity.user), {
    status: (event) => showStatus(current, event),
    user: (user) => showUser(current, user),
    chat: (from, text) => chat.message(nameOf(from), text),
  });
  const ownTile = new Tile(identity.user, name, true, () => {}, soundRefused);
  const current: Stay = { room, source, ownTile, tiles: new Map() };
  stay = current;
  sourceSelect.value = kind;
  place.textContent = identity.room;
  chat.clear();
  tilesRoot.replaceChildren(ownTile.root);
  for (const part of [call, controls, place]) part.hidden = false;
  lobby.hidden = true;
  void room.run();
}

function backToLobby(current: Stay): void {
  current.room.leave();
  current.source.stop();
  current.ownTile.remove();
  for (const tile of current.tiles.values()) tile.remove();
  if (stay === current) stay = null;
  for (const part of [call, controls, place]) part.hidden = true;
  lobby.hidden = false;
  if (statusLine.dataset.status !== 'failed') {
    statusLine.dataset.status = 'idle';
    statusLine.textContent = STATUS_WORDS.left;
  }
}

async function changeSource(current: Stay, kind: SourceKind): Promise<void> {
  const previous = current.source;
  current.source = await openSource(kind, nameOf(current.room.identity.user));
  await current.room.setStream(current.source.stream);
  previous.stop();
  showOwnTile(current);
}

function inviteLink(room: string): string {
  return `${window.location.origin}${window.location.pathname}?room=${encodeURIComponent(room)}`;
}

function listen(config: Promise<ServerConfig>): void {
  lobby.addEventListener('submit', (event) => {
    event.preventDefault();
    const kind = new FormData(lobby).get('source');
    config
      .then((known) => enter(known, isSourceKind(String(kind)) ? (kind as SourceKind) : 'pattern'))
      .catch((error) => say(describeError(error)));
  });
  byId('leave', HTMLButtonElement).addEventListener('click', () => {
    if (stay) backToLobby(stay);
    say('');
  });
  byId('chat', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const text = textInput.value.trim();
    if (!text || !stay) return;
    if (!stay.room.say(text)) return say('Your message was not sent: there is no connection at the moment.');
    chat.message(nameOf(stay.room.identity.user), text);
    textInput.value = '';
  });
  sourceSelect.addEventListener('change', () => {
    if (stay && isSourceKind(sourceSelect.value)) {
      changeSource(stay, sourceSelect.value).catch((error) => say(describeError(error)));
    }
  });
  soundButton.addEventListener('click', () => {
    silent = !silent;
    soundButton.textContent = silent ? 'Sound off' : 'Sound on';
    soundButton.setAttribute('aria-pressed', String(!silent));
    for (const tile of stay?.tiles.values() ?? []) tile.silent = silent;
  });
  byId('copy', HTMLButtonElement).addEventListener('click', () => {
    if (!stay) return;
    const link = inviteLink(stay.room.identity.room);
    const shown = () => chat.news(`Link to this room: ${link}`);
    // Without https or localhost there is no clipboard.
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => chat.news('The link is copied.'), shown);
    else shown();
  });
  // Tells the server at once; without it the others would wait for the socket to time out when the browser is killed.
  window.addEventListener('pagehide', () => stay?.room.leave());
}

/** `?room=&name=&token=&user=&source=pattern|camera|microphone|none&autojoin=1` */
function readAddress(): void {
  const address = new URLSearchParams(window.location.search);
  roomInput.value = address.get('room') ?? 'lobby';
  nameInput.value = address.get('name') ?? `guest ${Math.floor(Math.random() * 90 + 10)}`;
  tokenInput.value = address.get('token') ?? '';
  const source = address.get('source');
  if (isSourceKind(source)) {
    for (const input of lobby.querySelectorAll<HTMLInputElement>('input[name=source]'))
      input.checked = input.value === source;
  }
  if (address.get('autojoin') === '1') lobby.requestSubmit();
}

const config = loadConfig(window.location);
config.catch((error) => say(describeError(error)));
listen(config);
readAddress();
