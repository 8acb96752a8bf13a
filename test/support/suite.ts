/** What the tests of a suite share: a server, and for each test a room of its own. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { Room } from './peer.js';
import { type RunningServer, type ServerOptions, startServer } from './server.js';

/** The server of a suite's tests, once it is started. */
export interface ServerSuite {
  readonly server: RunningServer;
}

export interface RoomSuite extends ServerSuite {
  /** The room of the test that runs. */
  readonly room: Room;
}

/**
 * Starts a server before the suite's first test, and stops it after the last: it has to end with code 0.
 * @param started what else the tests need of it. Not a hook of its own: a file's hooks run at once, a suite's in turn
 */
export function usingServer(
  options: ServerOptions = {},
  started: (server: RunningServer) => Promise<void> = async () => {},
): ServerSuite {
  let server: RunningServer | null = null;
  const running = () => {
    assert.ok(server, 'the server runs from the first test on');
    return server;
  };
  before(async () => {
    server = await startServer(options);
    await started(server);
  });
  after(async () => assert.equal(await running().stop(), 0, running().output().slice(-2000)));
  return {
    get server() {
      return running();
    },
  };
}

/** A server likewise, and rooms that everybody has left after each test. */
export function usingRooms(options: ServerOptions = {}): RoomSuite {
  const suite = usingServer(options);
  let room: Room | null = null;
  beforeEach(() => {
    room = new Room(suite.server.wsUrl);
  });
  afterEach(() => room?.close());
  return {
    get server() {
      return suite.server;
    },
    get room() {
      assert.ok(room, 'there is a room while a test runs');
      return room;
    },
  };
}
