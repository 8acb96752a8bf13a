import type { ClientFacts } from './handle.js';

/** Says whether a room is this server's to serve, where it is one of many. */
export interface RoomAuthority {
  /**
   * Somebody who may come into the room wants to.
   *
   * @returns null = here; a text = why not, for its client, which may have been sent elsewhere already. At once where
   *   nothing has to be asked
   */
  claim(room: string, user: string, client: ClientFacts): null | Promise<string | null>;
  /** Puts a user out of a room that is not here. @returns how many of its handles ended */
  evict(room: string, user: string, by: string | null): Promise<number>;
}

/** A server that is alone: every room is its own. */
export const ALONE: RoomAuthority = {
  claim: () => null,
  evict: async () => 0,
};
