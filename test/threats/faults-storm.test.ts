/** Everybody comes back at once (threats.md F12): a short version of `npm run bench:storm`, with limits that a busy machine keeps. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Storm } from '../../bench/load/storm.js';
import { User } from '../support/peer.js';
import { startServer } from '../support/server.js';

after(releaseNative);

const CLIENTS = 500;
const ROOM = 10;
const PEERS = 8;
const LIMITS = { LOG_LEVEL: 'warn', WS_CONNECTIONS_PER_ADDRESS: '2000', WS_REQUEST_BURST_PER_ADDRESS: '100000' };

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^janus_sfu_${name}(?:\\{state="owned"\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('a storm', () => {
  test(`F12: ${CLIENTS} clients that lose their connections at once are all back, none twice, seen as one leave and one join each; so after a restart, and ${PEERS} real peers with them`, {
    timeout: 120_000,
  }, async () => {
    const first = await startServer({ env: LIMITS });
    const storm = new Storm(first.wsUrl, CLIENTS, ROOM);
    let server = first;
    const users: User[] = [];
    try {
      await storm.watch();
      await storm.enter();
      const { all, seenWrong } = await storm.reconnect();
      assert.equal(seenWrong, 0);
      assert.ok(all < 10_000, `the last one was back after ${all.toFixed(0)} ms`);
      assert.equal(await metric(server.httpUrl, 'users'), CLIENTS + CLIENTS / ROOM);
      assert.equal(await metric(server.httpUrl, 'handles\\{state="joined"\\}'), CLIENTS + CLIENTS / ROOM);

      const exited = once(first.process, 'exit');
      first.process.kill('SIGKILL');
      await Promise.all([exited, storm.cutOff()]);
      server = await startServer({ env: { ...LIMITS, WS_PORT: new URL(first.wsUrl).port } });
      const comers = Array.from({ length: PEERS }, async (_, index) => {
        const user = await User.connect(server.wsUrl, 'peers', `peer ${index}`);
        users.push(user);
        (await user.publish()).start({ audioPps: 10, videoPps: 10 });
        // Its publisher is on the way: the subscription waits for it.
        const source = `peer ${(index + 1) % PEERS}`;
        await (await user.subscribe(source, { countOnly: true })).more('audio', 3, 30_000);
      });
      await Promise.all([storm.rejoin(), ...comers]);
      assert.equal(await metric(server.httpUrl, 'users'), CLIENTS + PEERS);
    } finally {
      storm.close();
      await Promise.all(users.map((user) => user.close()));
      assert.equal(await server.stop(), 0, server.output().slice(-2000));
    }
  });
});
