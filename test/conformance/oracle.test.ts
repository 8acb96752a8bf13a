/**
 * Replays what was recorded from the reference server, against ours: all scenarios, in the configurations that they are
 * for. Where we mean to differ, deviations.json says so, with the reason from the specification.
 *
 * The recordings lie beside the repository, in ../shared/oracle; where they are missing this test says so.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project.js';
import { type Addresses, oracleFolder, Replay } from '../support/replay.js';
import { type RunningServer, startServer } from '../support/server.js';

/** What the recordings' README says of the profiles, in our settings. */
const PROFILES: Record<string, (folder: string) => Record<string, string>> = {
  base: () => ({ SLOWLINK_THRESHOLD: '4' }),
  auth: (folder) => ({ AUTH_KEY: path.join(folder, 'keys/pub.pkcs1.der') }),
  authspki: (folder) => ({ AUTH_KEY: path.join(folder, 'keys/pub.spki.der') }),
  limits: () => ({ MAX_ROOM_SIZE: '2', MAX_CCU: '3' }),
  timeout: () => ({ SESSION_TIMEOUT: '3' }),
  reclaim: () => ({ RECLAIM_SESSION_TIMEOUT: '5' }),
  apisecret: () => ({ API_SECRET: 's3cret' }),
  secret: () => ({ API_SECRET: 's3cret', TOKEN_AUTH: 'true' }),
  opaque: () => ({ OPAQUEID_IN_API: 'true' }),
  fulltrickle: () => ({ FULL_TRICKLE: 'true' }),
};
const ADMIN = { ADMIN_SECRET: 'adm1n' };

/** Recorders side by side: most of their time they wait. Scenarios have user ids of their own, so they don't meet. */
const LANES = 5;

async function startProfile(name: string, folder: string, servers: RunningServer[]): Promise<Addresses> {
  const settings = PROFILES[name];
  assert.ok(settings, `the scenarios have a profile that this test does not know: ${name}`);
  const server = await startServer({ workers: name === 'base' ? 2 : 1, env: { ...ADMIN, ...settings(folder) } });
  servers.push(server);
  const { wsUrl: ws, httpUrl, adminUrl } = server;
  return { ws, http: `${httpUrl}/janus`, ...(adminUrl && { admin: adminUrl }) };
}

if (existsSync(oracleFolder)) {
  test('the recordings of the reference server agree, but for the deviations that the specification names', {
    timeout: 300_000,
  }, async (t) => {
    const replay = new Replay();
    const servers: RunningServer[] = [];
    t.after(async () => {
      replay.remove();
      await Promise.all(servers.map((server) => server.stop()));
    });
    await replay.makeKeys();
    const addresses: Record<string, Addresses> = {};
    for (const name of replay.profiles.keys()) addresses[name] = await startProfile(name, replay.folder, servers);
    const { lonely } = replay;
    const first = await replay.check(lonely, addresses);
    const all = [...replay.profiles.values()].flat().sort();
    const scenarios = all.filter((name) => !lonely.includes(name));
    const lanes = Array.from({ length: LANES }, (_, lane) => scenarios.filter((_, index) => index % LANES === lane));
    const problems = await Promise.all(lanes.map((names) => replay.check(names, addresses)));
    assert.deepEqual([...first, ...problems.flat()].join('\n'), '');
    for (const server of servers) assert.equal(await server.stop(), 0, server.output().slice(-2000));
  });
} else {
  test('the recordings of the reference server', {
    skip: `there is no folder ${path.relative(projectRoot, oracleFolder)}`,
  }, () => {});
}
