import type { BlockMemory } from '../src/client/index.js';

/** What is remembered of whom this page is: an id of its own per tab, so that a reload is the same user. */

const SUFFIX = /~[0-9a-z]{6}$/;
const MOST_BLOCKS = 500;

/** The tab's own six characters: two people may have the same name. */
function tabSuffix(): string {
  const remembered = sessionStorage.getItem('janus-sfu.tab');
  if (remembered && /^[0-9a-z]{6}$/.test(remembered)) return remembered;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => (byte % 36).toString(36)).join('');
  sessionStorage.setItem('janus-sfu.tab', made);
  return made;
}

/** The user id for a name: the name and something of the tab's own. */
export function userId(name: string): string {
  return `${name}~${tabSuffix()}`;
}

/** The name in a user id; other clients' ids have no suffix and are shown as they are. */
export function nameOf(user: string): string {
  const owner = ownerOf(user);
  if (owner !== null) return `${nameOf(owner)}: screen`;
  return user.replace(SUFFIX, '').slice(0, 40) || '?';
}

const SCREEN = ' (screen)';

/**
 * The user id under which a user's screen is in the room: one of its own, so that every client, also those that know
 * nothing of screens, gets it beside the camera. (Of two publishers with one id everybody gets the newer alone.)
 */
export function screenOf(user: string): string {
  return user + SCREEN;
}

/** Whose screen this user is; null for people. */
export function ownerOf(user: string): string | null {
  return user.endsWith(SCREEN) ? user.slice(0, -SCREEN.length) : null;
}

/** Remembers whom `user` has blocked, for as long as the tab lives. */
export function rememberBlocks(user: string): BlockMemory {
  const key = `janus-sfu.blocked.${user}`;
  const stored: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
  const blocked = new Set<string>(Array.isArray(stored) ? stored.filter((id) => typeof id === 'string') : []);
  const save = () => sessionStorage.setItem(key, JSON.stringify([...blocked].slice(-MOST_BLOCKS)));
  return {
    has: (id) => blocked.has(id),
    add: (id) => {
      blocked.add(id);
      save();
    },
    delete: (id) => {
      blocked.delete(id);
      save();
    },
  };
}
