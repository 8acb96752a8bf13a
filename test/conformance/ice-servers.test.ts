/** `GET /ice-servers`, and what the page is told. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommand } from '../support/command.js';
import { type RunningServer, startServer } from '../support/server.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-ice-'));
after(() => rmSync(root, { recursive: true, force: true }));

const TURN_SECRET = 'what coturn knows too';
const TURN = {
  TURN_URLS: 'turn:turn.example.org:3478?transport=udp,turns:turn.example.org:5349?transport=tcp',
  STUN_URLS: 'stun:turn.example.org:3478',
  TURN_SECRET,
  TURN_TTL: '600',
};

interface Answer {
  iceServers?: { urls: string[]; username?: string; credential?: string }[];
  ttl?: number;
  error?: string;
}

async function ask(server: RunningServer, init: RequestInit = {}) {
  const response = await fetch(`${server.httpUrl}/ice-servers`, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    answer: (text === '' ? {} : JSON.parse(text)) as Answer,
  };
}

const page = async (server: RunningServer) =>
  (await (await fetch(`${server.httpUrl}/config.json`)).json()) as { wsPort: number; wsUrl?: string } & Answer;

/** Checks an entry as the TURN server would. */
function assertCredentials({ username = '', credential }: { username?: string; credential?: string }, user?: string) {
  const [expires, ...rest] = username.split(':');
  assert.ok(Math.abs(Number(expires) - Date.now() / 1000 - 600) < 10, username);
  assert.deepEqual(rest, user === undefined ? [] : [user]);
  assert.equal(credential, createHmac('sha1', TURN_SECRET).update(username).digest('base64'));
}

describe('a server without settings for ICE servers', () => {
  test('has an empty list', async () => {
    const server = await startServer();
    const { status, headers, answer } = await ask(server);
    assert.deepEqual([status, answer.iceServers], [200, []]);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.deepEqual((await page(server)).iceServers, []);
    assert.equal((await ask(server, { method: 'POST' })).status, 405);
    assert.equal(await server.stop(), 0);
  });
});

describe('a server with a TURN server that does not even exist', () => {
  test('starts, and gives everybody credentials that expire, the page too', async () => {
    const env = { ...TURN, SIGNALLING_URL: 'wss://sfu.example.org/signalling' };
    const server = await startServer({ env });
    const { answer } = await ask(server);
    assert.equal(answer.ttl, 600);
    const [stun, turn] = answer.iceServers ?? [];
    assert.deepEqual(stun, { urls: [TURN.STUN_URLS] });
    assert.deepEqual(turn?.urls, TURN.TURN_URLS.split(','));
    assertCredentials(turn ?? {});
    const config = await page(server);
    assertCredentials(config.iceServers?.[1] ?? {});
    assert.equal(config.wsUrl, env.SIGNALLING_URL);
    const policy = (await fetch(`${server.httpUrl}/`)).headers.get('content-security-policy') ?? '';
    assert.match(policy, /connect-src 'self' wss:\/\/sfu\.example\.org(;|$)/);
    assert.ok(!server.output().includes(TURN_SECRET));
    assert.equal(await server.stop(), 0);
  });

  test('answers an address that asks too often with 429', async () => {
    const server = await startServer({ env: { ...TURN, HTTP_REQUEST_RATE: '1', HTTP_REQUEST_BURST: '2' } });
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await ask(server)).status));
    assert.ok(statuses.includes(200) && statuses.includes(429), statuses.join());
    assert.equal(await server.stop(), 0);
  });
});

describe('a server with AUTH_KEY', () => {
  let server: RunningServer;
  const token = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCommand(['token', '--key', path.join(root, 'private.pem'), ...args]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  before(async () => {
    assert.equal((await runCommand(['keys', '--out', root])).code, 0);
    const env = { ...TURN, AUTH_KEY: path.join(root, 'public.pem'), ALLOW_ORIGIN: 'https://world.example' };
    server = await startServer({ env });
  });
  after(() => server.stop());
  const bearer = (text: string) => ({ headers: { Authorization: `Bearer ${text}` } });

  test('gives TURN credentials to the bearer of a token for a room, in its name', async () => {
    const { status, answer } = await ask(server, bearer(await token('--room', 'lobby', '--user', 'ann')));
    assert.equal(status, 200);
    assertCredentials(answer.iceServers?.[1] ?? {}, 'ann');
    const { answer: unnamed } = await ask(server, bearer(await token('--all-rooms')));
    assertCredentials(unnamed.iceServers?.[1] ?? {});
  });

  test('gives nobody else any, nor the page before its user has said a token', async () => {
    const forged = `${(await token('--room', 'lobby')).slice(0, -8)}AAAAAAAA`;
    for (const init of [{}, bearer('nonsense'), bearer(forged), { headers: { Authorization: 'Basic YTpi' } }]) {
      const { status, headers, answer } = await ask(server, init);
      assert.deepEqual([status, headers.get('www-authenticate'), answer.iceServers], [401, 'Bearer', undefined]);
      assert.match(answer.error ?? '', /Authorization: Bearer/);
    }
    assert.deepEqual((await page(server)).iceServers, [{ urls: [TURN.STUN_URLS] }]);
    assert.ok(!server.output().includes(readFileSync(path.join(root, 'public.pem'), 'utf8').slice(40, 80)));
  });

  test('lets pages of the allowed origin ask with a token', async () => {
    const headers = {
      Origin: 'https://world.example',
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    };
    const { status, headers: allowed } = await ask(server, { method: 'OPTIONS', headers });
    assert.equal(status, 200);
    assert.equal(allowed.get('access-control-allow-origin'), 'https://world.example');
    assert.equal(allowed.get('access-control-allow-headers'), 'authorization');
  });
});
