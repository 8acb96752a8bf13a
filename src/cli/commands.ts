import type { Command } from './command.js';

/** Loads each command when it is called: making a key needs nothing of a server. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.js')).start,
  check: async () => (await import('./check.js')).check,
  keys: async () => (await import('./keys.js')).keys,
  token: async () => (await import('./token.js')).token,
  rooms: async () => (await import('./rooms.js')).rooms,
  kick: async () => (await import('./kick.js')).kick,
  load: async () => (await import('./load.js')).load,
};
