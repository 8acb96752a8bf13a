import { byId } from '../shared/dom.js';
import { AdminApi, AdminRefusal } from './admin-api.js';
import { Board } from './board.js';

/** Kept for as long as the tab lives, and never in an address. */
const SECRET = 'janus-sfu.admin-secret';
/** Janus' code for a wrong secret. */
const UNAUTHORIZED = 403;

const signIn = byId('sign-in', HTMLFormElement);
const secretInput = byId('secret', HTMLInputElement);
const boardRoot = byId('board', HTMLElement);
const signOutButton = byId('sign-out', HTMLButtonElement);
const statusLine = byId('status', HTMLElement);
const notice = byId('notice', HTMLElement);
let board: Board | null = null;

function say(problem: string): void {
  if (notice.textContent !== problem) notice.textContent = problem;
  notice.hidden = problem === '';
}

function showStatus(status: 'idle' | 'joined' | 'failed', words: string): void {
  statusLine.dataset.status = status;
  if (statusLine.textContent !== words) statusLine.textContent = words;
}

function open(secret: string): void {
  board?.stop();
  const api = new AdminApi(new URL('../admin', window.location.href).href, secret);
  const opened = new Board({
    api,
    onAnswer: () => {
      sessionStorage.setItem(SECRET, secret);
      for (const part of [boardRoot, signOutButton]) part.hidden = false;
      signIn.hidden = true;
      showStatus('joined', 'live');
      say('');
    },
    onProblem: (problem) => {
      showStatus('failed', 'no answer');
      say(problem.message);
      if (problem instanceof AdminRefusal && problem.code === UNAUTHORIZED) close();
    },
  });
  board = opened;
  void opened.run();
}

function close(): void {
  board?.stop();
  board = null;
  sessionStorage.removeItem(SECRET);
  for (const part of [boardRoot, signOutButton]) part.hidden = true;
  signIn.hidden = false;
  secretInput.value = '';
  secretInput.focus();
  showStatus('idle', 'not asking');
}

signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  say('');
  open(secretInput.value);
});
signOutButton.addEventListener('click', () => {
  say('');
  close();
});
const remembered = sessionStorage.getItem(SECRET);
if (remembered !== null) open(remembered);
