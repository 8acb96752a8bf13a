/** Files and ports that run out (threats.md R5) while somebody wants to send media; for signalling see resources.test.ts. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Room } from '../support/peer.js';
import { startServer } from '../support/server.js';

after(releaseNative);

test('R5: a server without a file left takes the media of who is there, and ends cleanly; its media port is nobody else’s', async () => {
  const server = await startServer({ files: 120 });
  const room = new Room(server.wsUrl);
  const greedy: Socket[] = [];
  try {
    const [, port = ''] = /UDP (\d+)/.exec(server.output()) ?? [];
    const thief = createSocket('udp4').bind(Number(port), '0.0.0.0');
    const [error] = (await once(thief, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'EADDRINUSE', 'it is taken before there is anybody');

    const alice = await room.enter('alice');
    const bob = await room.enter('bob');
    // What the worker loads late, it has loaded: it serves a call before the files run out.
    await (await room.enter('carol')).publish();
    for (let index = 0; index < 200; index += 1) {
      const socket = connect(Number(new URL(server.wsUrl).port), '127.0.0.1');
      socket.on('error', () => {});
      greedy.push(socket.resume());
      await once(socket, 'connect');
    }
    const source = await alice.publish();
    const sink = await bob.subscribe(alice.id);
    source.start();
    await sink.more('video', 10);
  } finally {
    for (const socket of greedy) socket.destroy();
    await room.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});
