import { describeError, type RoomEvents, type RoomStatus } from '../src/client/index.js';
import { Call } from './call.js';
import { ChatPanel } from './chat-panel.js';
import { Controls } from './controls.js';
import { DoctorDialog } from './doctor-dialog.js';
import { userId } from './identity.js';
import { Lobby, type Wish } from './lobby.js';
import { type CallServer, freshIceServers, iceServersFor, loadConfig } from './server-config.js';
import { byId } from './shared/dom.js';

const STATUS_WORDS: Record<RoomStatus, string> = {
  connecting: 'connecting …',
  joined: 'connected',
  reconnecting: 'reconnecting …',
  failed: 'not connected',
  left: 'not connected',
};

const address = new URLSearchParams(window.location.search);
const callRoot = byId('call', HTMLElement);
const statusLine = byId('status', HTMLElement);
const place = byId('place', HTMLElement);
const notice = byId('notice', HTMLElement);
const textInput = byId('text', HTMLInputElement);
const chat = new ChatPanel(byId('messages', HTMLElement));
const config = loadConfig(window.location);
let call: Call | null = null;

function say(problem: string): void {
  notice.textContent = problem;
  notice.hidden = problem === '';
}

function showStatus({ status, problem, retryMs }: RoomEvents['status']): void {
  const before = statusLine.dataset.status;
  statusLine.dataset.status = status;
  statusLine.textContent = STATUS_WORDS[status];
  if (status === 'joined') {
    say('');
    if (before !== 'joined') chat.news(`You are in the room “${call?.identity.room}”.`);
  } else if (problem !== null) {
    const again = status === 'reconnecting' ? ` Trying again in ${Math.ceil(retryMs / 1000)} s.` : '';
    say(describeError(problem) + again);
  }
  if (status === 'failed') leave();
}

function enter(server: CallServer, wish: Wish): void {
  const { room, name, token, kind, devices, source } = wish;
  // The form was sent twice.
  if (call) {
    source.stop();
    return;
  }
  say('');
  lobby.close();
  chat.clear();
  place.textContent = room;
  for (const part of [callRoot, place]) part.hidden = false;
  call = new Call({
    config: server,
    identity: { room, user: address.get('user') ?? userId(name), token },
    kind,
    devices,
    source,
    tiles: byId('tiles', HTMLElement),
    chat,
    onStatus: showStatus,
    onChange: () => controls.show(),
    say,
  });
  controls.open(devices);
  callRoot.focus();
}

function leave(): void {
  call?.leave();
  call = null;
  for (const part of [callRoot, place]) part.hidden = true;
  controls.close();
  lobby.open();
  if (statusLine.dataset.status === 'failed') return;
  statusLine.dataset.status = 'idle';
  statusLine.textContent = STATUS_WORDS.left;
}

function copyLink({ identity }: Call): void {
  const link = `${window.location.origin}${window.location.pathname}?room=${encodeURIComponent(identity.room)}`;
  const shown = () => chat.news(`Link to this room: ${link}`);
  // Without https or localhost there is no clipboard.
  if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => chat.news('The link is copied.'), shown);
  else shown();
}

const doctor = new DoctorDialog(async () => {
  const server = await loadConfig(window.location);
  const token = call?.identity.token ?? (byId('token', HTMLInputElement).value.trim() || null);
  return { ...server, iceServers: await iceServersFor(token, server.iceServers) };
});
const controls = new Controls({
  call: () => call,
  say,
  onLeave: () => {
    say('');
    leave();
  },
  onDoctor: () => doctor.open(),
  onCopy: copyLink,
});
const lobby = new Lobby((wish) => {
  Promise.all([config, wish])
    .then(([server, wanted]) => {
      enter({ url: server.url, iceServers: freshIceServers(wanted.token, server.iceServers) }, wanted);
    })
    .catch((error) => say(describeError(error)));
});

byId('lobby-doctor', HTMLButtonElement).addEventListener('click', () => doctor.open());
byId('chat', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const text = textInput.value.trim();
  if (!text || !call) return;
  if (call.write(text)) textInput.value = '';
  else say('Your message was not sent: there is no connection at the moment.');
});
// Tells the server at once; without it the others would wait for the socket to time out when the browser is killed.
window.addEventListener('pagehide', () => call?.leave());
config.catch((error) => say(describeError(error)));
lobby.readAddress(address);
