/** The commands of `janus-sfu`, each run as a process of its own. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.js';
import { SETTINGS } from '../../src/config/schema.js';
import { type CommandOptions, runCommand } from '../support/command.js';
import { JanusClient } from '../support/janus-client.js';
import { projectRoot } from '../support/project.js';
import { type RunningServer, startServer } from '../support/server.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-commands-'));
after(() => rmSync(root, { recursive: true, force: true }));

const ADMIN_SECRET = 'a secret of operators';
let keyFolders = 0;

/** A folder of its own with a fresh pair of keys. */
async function keyFolder(): Promise<string> {
  keyFolders += 1;
  const folder = path.join(root, `keys-${keyFolders}`);
  const { code, stderr } = await runCommand(['keys', '--out', folder]);
  assert.equal(code, 0, stderr);
  return folder;
}

async function failure(args: string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args, options);
  assert.equal(stdout, '');
  return `${code} ${stderr}`;
}

describe('janus-sfu', () => {
  test('--version says the package’s version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual(await runCommand(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help names every command, every setting as a flag, and each command’s help its options', async () => {
    const { code, stdout } = await runCommand(['--help']);
    assert.equal(code, 0);
    for (const name of Object.keys(COMMANDS)) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
    for (const name of Object.keys(SETTINGS)) {
      assert.ok(stdout.includes(`  --${name.toLowerCase().replaceAll('_', '-')}`), name);
    }
    for (const load of Object.values(COMMANDS)) {
      const { name, options } = await load();
      const help = await runCommand([name, '--help']);
      assert.equal(help.code, 0);
      for (const option of options) assert.ok(help.stdout.includes(`--${option.name}`), `${name} --${option.name}`);
    }
  });

  test('with a command or flags that do not exist ends with code 2 and what was meant', async () => {
    assert.equal(await failure(['tokn']), '2 janus-sfu: "tokn": there is no such command; did you mean token?\n');
    assert.equal(
      await failure(['--ws-prt', '1', '--max-cu', '2']),
      '2 janus-sfu: --ws-prt: there is no such flag; did you mean --ws-port?\n' +
        'janus-sfu: --max-cu: there is no such flag; did you mean --max-ccu?\n',
    );
  });

  test('--print-config shows the settings of flags, environment and files, and starts nothing', async () => {
    const folder = path.join(root, 'printed');
    mkdirSync(folder);
    writeFileSync(path.join(folder, '.env'), 'MAX_CCU=7\nADMIN_SECRET=do not show me\n');
    const env = { MAX_CCU: '8', MAX_ROOM_SIZE: '9' };
    const { code, stdout } = await runCommand(['--print-config', '--max-room-size', '10'], { env, folder });
    assert.equal(code, 0);
    assert.match(stdout, /^MAX_CCU=8 +# environment$/m);
    assert.match(stdout, /^MAX_ROOM_SIZE=10 +# flag$/m);
    assert.match(stdout, /^ADMIN_SECRET=\*{8} +# \.env$/m);
    assert.doesNotMatch(stdout, /do not show me/);
    assert.match(
      await failure(['--print-config', '--max-ccu', 'x'], { folder }),
      /^2 janus-sfu: --max-ccu "x": should be/,
    );
  });
});

describe('keys', () => {
  test('makes one pair in four forms, the private one for its owner alone', async () => {
    const folder = await keyFolder();
    const read = (name: string) => readFileSync(path.join(folder, name));
    assert.deepEqual(readdirSync(folder).sort(), ['private.pem', 'public.pem', 'public.pkcs1.der', 'public.spki.der']);
    assert.equal(statSync(path.join(folder, 'private.pem')).mode & 0o777, 0o600);
    const key = createPrivateKey(read('private.pem'));
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
    for (const one of [
      createPublicKey(read('public.pem')),
      createPublicKey({ key: read('public.pkcs1.der'), format: 'der', type: 'pkcs1' }),
      createPublicKey({ key: read('public.spki.der'), format: 'der', type: 'spki' }),
    ]) {
      assert.ok(one.equals(createPublicKey(key)));
    }
  });

  test('never replaces a key unless told', async () => {
    const folder = await keyFolder();
    const file = path.join(folder, 'private.pem');
    const first = readFileSync(file, 'utf8');
    rmSync(path.join(folder, 'public.pem'));
    assert.match(await failure(['keys', '--out', folder]), /^1 janus-sfu: .*private\.pem is there already; .*--force/);
    assert.equal(readFileSync(file, 'utf8'), first);
    assert.ok(!existsSync(path.join(folder, 'public.pem')), 'half a pair is not written either');
    assert.equal((await runCommand(['keys', '--out', folder, '--force'])).code, 0);
    assert.notEqual(readFileSync(file, 'utf8'), first);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('says what can not be', async () => {
    assert.match(
      await failure(['keys', '--bits', '1024']),
      /^2 janus-sfu: --bits 1024: should be a whole number from 2048/,
    );
    const file = path.join(root, 'a-file');
    writeFileSync(file, '');
    assert.match(await failure(['keys', '--out', path.join(file, 'x')]), /^1 janus-sfu: the keys can not be written/);
  });
});

describe('token', () => {
  let folder: string;
  let server: RunningServer;
  before(async () => {
    folder = await keyFolder();
    server = await startServer({ env: { AUTH_KEY: path.join(folder, 'public.pkcs1.der') } });
  });
  after(() => server.stop());

  async function tokenOf(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCommand(['token', ...args], { folder });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  async function joins(token: string | undefined, room: string, user: string): Promise<boolean> {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const reply = await client.message(handle, { kind: 'join', room_id: room, user_id: user, token });
    await client.close();
    return reply.plugindata?.data.success === true;
  }

  test('is taken by a server that has the public key: for its room and user, and nothing else', async () => {
    const token = await tokenOf('--room', 'lobby', '--room', 'garden', '--user', 'ann');
    assert.deepEqual(
      await Promise.all([
        joins(token, 'lobby', 'ann'),
        joins(token, 'garden', 'ann'),
        joins(token, 'cellar', 'ann'),
        joins(token, 'lobby', 'bob'),
        joins(undefined, 'lobby', 'ann'),
      ]),
      [true, true, false, false, false],
    );
    const every = await tokenOf('--all-rooms');
    assert.ok(await joins(every, 'cellar', 'anybody'));
  });

  test('lets its bearer kick only if told so', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const kicks = async (token: string) => {
      const reply = await client.message(handle, { kind: 'kick', room_id: 'lobby', user_id: 'nobody', token });
      return reply.plugindata?.data.success;
    };
    assert.equal(await kicks(await tokenOf('--room', 'lobby')), false);
    assert.equal(await kicks(await tokenOf('--room', 'lobby', '--kick')), true);
    await client.close();
  });

  test('is valid for as long as told', async () => {
    const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const [hour, week] = [claims(await tokenOf('--room', 'r')), claims(await tokenOf('--room', 'r', '--ttl', '7d'))];
    assert.deepEqual([hour.exp - hour.iat, week.exp - week.iat], [3600, 604_800]);
  });

  test('needs a room, a time and a key that make sense', async () => {
    assert.equal(
      await failure(['token', '--ttl', 'soon'], { folder }),
      '2 janus-sfu: --room is needed (or --all-rooms)\njanus-sfu: --ttl soon: should be a time such as 90s, 15m, 1h or 7d\n',
    );
    const withKey = (file: string) => failure(['token', '--room', 'r', '--key', file], { folder });
    assert.match(
      await withKey('missing.pem'),
      /^2 janus-sfu: --key .*missing\.pem: the file can not be read \(ENOENT\); .*keys/,
    );
    assert.match(await withKey('public.pem'), /^2 janus-sfu: --key .*: it is no private RSA key/);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    writeFileSync(path.join(folder, 'weak.pem'), weak.export({ type: 'pkcs8', format: 'pem' }));
    assert.match(await withKey('weak.pem'), /^2 janus-sfu: --key .*: it has 1024 bits; at least 2048 are needed/);
  });
});

describe('rooms and kick', () => {
  let server: RunningServer;
  let options: CommandOptions;
  before(async () => {
    server = await startServer({ env: { ADMIN_SECRET } });
    options = { env: { ADMIN_SECRET, ADMIN_PORT: new URL(server.adminUrl ?? '').port } };
  });
  after(() => server.stop());

  test('list who is where, as text and as JSON, and put a user out', async () => {
    assert.deepEqual(await runCommand(['rooms'], options), { code: 0, stdout: 'no rooms\n', stderr: '' });
    const client = await JanusClient.connect(server.wsUrl);
    await client.join('lobby', 'ann', { data: true });
    const bob = await client.join('lobby', 'bob\u001b[2J', { notifications: true });
    const { stdout } = await runCommand(['rooms'], options);
    assert.match(stdout, /^"lobby": 2 users, 1 publishing, media on worker /m);
    assert.match(stdout, /^ {2}"ann" \(publisher, 1 handle\)$/m);
    assert.match(stdout, /^ {2}"bob\\u001b\[2J" \(listener, 1 handle\)$/m);
    const [room] = JSON.parse((await runCommand(['rooms', '--room', 'lobby', '--json'], options)).stdout);
    assert.equal(room.room_id, 'lobby');
    const kicked = await runCommand(['kick', '--room', 'lobby', '--user', 'bob\u001b[2J'], options);
    assert.deepEqual(kicked, { code: 0, stdout: 'kicked; 1 handle ended\n', stderr: '' });
    await client.settled();
    assert.ok(client.received.some((one) => one.janus === 'detached' && one.sender === bob.id));
    await client.close();
  });

  test('say why they can not', async () => {
    assert.match(
      await failure(['kick', '--room', 'lobby', '--user', 'nobody'], options),
      /^1 janus-sfu: the server refused: There is no such user/,
    );
    assert.match(await failure(['kick', '--room', 'lobby'], options), /^2 janus-sfu: --room and --user are needed/);
    assert.match(await failure(['rooms']), /^2 janus-sfu: ADMIN_SECRET is needed/);
    const other = { env: { ...options.env, ADMIN_SECRET: 'another secret of others' } };
    assert.match(await failure(['rooms'], other), /^1 janus-sfu: the server refused ADMIN_SECRET/);
    const page = await failure(['rooms', '--url', `${server.httpUrl}/`], options);
    assert.match(page, /^1 janus-sfu: http:.*: no answer/);
    const nowhere = { env: { ADMIN_SECRET, ADMIN_PORT: '1' } };
    assert.match(
      await failure(['rooms'], nowhere),
      /^1 janus-sfu: http:\/\/127\.0\.0\.1:1\/admin: no answer.*is the server running/,
    );
  });
});

describe('check', () => {
  /** UDP ports that are free now. */
  async function freeUdpPort(): Promise<string> {
    const socket = createSocket('udp4').bind(0);
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return String(port);
  }
  const usual = async () => ({ WS_PORT: '0', HTTP_PORT: '0', RTP_PORT: await freeUdpPort(), SFU_WORKERS: '1' });

  test('finds nothing wrong where nothing is', async () => {
    const folder = await keyFolder();
    const env = { ...(await usual()), AUTH_KEY: path.join(folder, 'public.pem'), DATA_DIR: path.join(folder, 'data') };
    const { code, stdout } = await runCommand(['check'], { env });
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stdout, /^problem/m);
    for (const topic of [
      'Node',
      'settings',
      'AUTH_KEY',
      'DATA_DIR',
      'TCP WS_PORT',
      'UDP RTP_PORT',
      'media address',
      'native addon',
    ]) {
      assert.match(stdout, new RegExp(`^ok +${topic} `, 'm'));
    }
    assert.match(stdout, /^0 problems, \d+ warnings?$/m);
    assert.ok(!existsSync(env.DATA_DIR), 'it leaves nothing behind');
  });

  test('names taken ports, a key that is none and a folder that can not be written, with what to do', async () => {
    const tcp = createServer().listen(0);
    const udp = createSocket('udp4').bind(0);
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    const file = path.join(root, 'no-folder');
    writeFileSync(file, 'no key');
    const wsPort = String((tcp.address() as AddressInfo).port);
    const rtpPort = String(udp.address().port);
    const env = {
      ...(await usual()),
      WS_PORT: wsPort,
      RTP_PORT: rtpPort,
      AUTH_KEY: file,
      DATA_DIR: path.join(file, 'data'),
    };
    const { code, stdout } = await runCommand(['check', '--message-threads', '2'], { env });
    tcp.close();
    udp.close();
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^problem +TCP WS_PORT +port ${wsPort} is taken\n +Stop what uses it .*set WS_PORT`, 'm'),
    );
    assert.match(
      stdout,
      new RegExp(`^problem +UDP RTP_PORT +port ${rtpPort} is taken\n +Stop what uses it .*set RTP_PORT`, 'm'),
    );
    assert.match(stdout, /^problem +AUTH_KEY +.*neither a public RSA key.*\n.*janus-sfu keys/m);
    assert.match(stdout, /^problem +DATA_DIR +.*\n +Make it writable/m);
    assert.match(stdout, /^warning +MESSAGE_THREADS +has no effect/m);
    assert.match(stdout, /^4 problems, /m);
  });

  test('goes on to what it can look at when settings are wrong', async () => {
    const { code, stdout } = await runCommand(['check', '--ws-port', 'x', '--placement', 'y']);
    assert.equal(code, 1);
    assert.match(stdout, /^problem +settings +--ws-port "x": should be/m);
    assert.match(stdout, /^problem +settings +--placement "y": should be/m);
    assert.match(stdout, /^ok +native addon +loads$/m);
  });
});

describe('load', () => {
  test('connects real peers, says how it goes, and ends with the figures', async () => {
    const folder = await keyFolder();
    const env = { AUTH_KEY: path.join(folder, 'public.pem'), API_SECRET: 'a secret of all clients' };
    const server = await startServer({ env });
    try {
      const url = ['load', '--url', server.wsUrl, '--seconds', '2', '--users', '3', '--video-pps', '30'];
      const { API_SECRET } = env;
      const told = [...url, '--loss-max', '20', '--key', path.join(folder, 'private.pem')];
      const { code, stdout, stderr } = await runCommand(told, { env: { API_SECRET } });
      assert.equal(code, 0, stderr + stdout);
      assert.match(stdout, /^1\/2 s: \d+ packets received/m);
      const [, sent = 0, received = 0] = /^packets +(\d+) sent, (\d+) of/m.exec(stdout) ?? [];
      assert.ok(Number(sent) >= 300 && Number(received) >= 600, stdout);
      assert.match(stdout, /^users joined +3\nsubscriptions +6\nfailed connections +0 +at most 0: met$/m);
      assert.match(stdout, /^data messages +\d+ sent, [1-9]\d+ of \d+ received$/m);
      assert.match(
        await failure([...url, '--json'], { env: { API_SECRET } }),
        /^1 janus-sfu: .*Rejecting anonymous join/,
      );
    } finally {
      await server.stop();
    }
  });

  test('refuses figures that make no sense, and a server that is not there', async () => {
    assert.match(
      await failure(['load', '--seconds', '0', '--users', 'many']),
      /^2 janus-sfu: --users many: should be a whole number.*\njanus-sfu: --seconds 0: should be/,
    );
    const nobody = await runCommand(['load', '--url', 'ws://127.0.0.1:1']);
    assert.deepEqual(
      [nobody.code, /ws:\/\/127\.0\.0\.1:1: .*not reachable/.test(nobody.stderr)],
      [1, true],
      nobody.stderr,
    );
  });
});
