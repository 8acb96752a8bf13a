import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type ReadSettings, readSettings } from '../../src/config/read.js';
import { configTable } from '../../src/config/shown.js';
import { collectSources, type Location, type Places } from '../../src/config/sources.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-config-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;

/** A new folder with these files. */
function folderWith(files: Record<string, string>): string {
  folders += 1;
  const folder = path.join(root, String(folders));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

interface Told extends Partial<Pick<Places, 'flags' | 'env' | 'folder'>> {
  files?: Record<string, string>;
  locations?: Partial<Record<Location, string>>;
}

function read({ files = {}, flags = new Map(), env = {}, folder, locations = {} }: Told) {
  const collected = collectSources({
    flags,
    env,
    folder: folder ?? folderWith(files),
    locations: new Map(Object.entries(locations) as [Location, string][]),
  });
  const result = readSettings(collected.sources);
  const problems = [...collected.problems, ...(result.ok ? [] : result.problems)];
  return { ...collected, result, problems };
}

function shownIn(result: ReadSettings, name: string) {
  const found = result.values.find((one) => one.name === name);
  assert.ok(found);
  return found;
}

const config = (told: Told) => {
  const { result, problems } = read(told);
  assert.deepEqual(problems, []);
  assert.ok(result.ok);
  return result.config;
};

describe('a setting', () => {
  /** Every place that may set MAX_CCU, the strongest first. */
  const places = ['flag', 'environment', '.env', 'janus-sfu.json', 'janus.plugin.sfu.cfg'] as const;

  test('is decided by the strongest place that has it: flag, environment, .env, configuration file, Janus’ file', () => {
    for (let chosen = 0; chosen < 2 ** places.length; chosen += 1) {
      const has = places.filter((_, index) => (chosen & (1 << index)) !== 0);
      const value = (place: (typeof places)[number]) => String(places.indexOf(place) + 1);
      const files: Record<string, string> = {};
      if (has.includes('.env')) files['.env'] = `MAX_CCU=${value('.env')}\n`;
      if (has.includes('janus-sfu.json')) files['janus-sfu.json'] = `{ "MAX_CCU": ${value('janus-sfu.json')} }`;
      if (has.includes('janus.plugin.sfu.cfg')) {
        files['janus.plugin.sfu.cfg'] = `[general]\nmax_ccu = ${value('janus.plugin.sfu.cfg')}\n`;
      }
      const { result } = read({
        files,
        flags: new Map(has.includes('flag') ? [['MAX_CCU', value('flag')]] : []),
        env: has.includes('environment') ? { MAX_CCU: value('environment') } : {},
      });
      const [strongest] = has;
      assert.ok(result.ok);
      assert.equal(result.config.MAX_CCU, strongest === undefined ? 0 : Number(value(strongest)), has.join('+'));
      assert.equal(shownIn(result, 'MAX_CCU').origin, strongest ?? 'default');
    }
  });

  test('under another of its names still follows the places: a flag beats the environment, whatever the name', () => {
    const { result } = read({ flags: new Map([['EVENT_LOOPS', '2']]), env: { SFU_WORKERS: '1' } });
    const workers = shownIn(result, 'SFU_WORKERS');
    assert.deepEqual([workers.value, workers.origin, workers.variable], ['2', 'flag', 'EVENT_LOOPS']);
  });

  test('that is empty counts as not set, in every place', () => {
    const told = { flags: new Map([['API_SECRET', '']]), env: { API_SECRET: '' }, files: { '.env': 'API_SECRET=x' } };
    assert.equal(config(told).API_SECRET, 'x');
  });

  test('of the reference’s image means what it means there', () => {
    const env = {
      ADMIN_SECRET: 'janusoverlord',
      DEBUG_LEVEL: '5',
      SESSION_TIMEOUT: '38',
      MAX_ROOM_SIZE: '30',
      MAX_CCU: '1000',
      MESSAGE_THREADS: '3',
      EVENT_LOOPS: '2',
      AUTH_KEY: '/keys/public.der',
      MIN_NACK_QUEUE: '500',
      PUBLIC_IP: '198.51.100.7',
      NETWORK_INTERFACE: '127.',
    };
    const read = config({ env });
    assert.deepEqual(
      [read.LOG_LEVEL, read.SESSION_TIMEOUT, read.MAX_ROOM_SIZE, read.MAX_CCU, read.SFU_WORKERS, read.MIN_NACK_QUEUE],
      ['debug', 38_000, 30, 1000, 2, 500],
    );
    assert.deepEqual([read.AUTH_KEY, read.ADMIN_SECRET], ['/keys/public.der', 'janusoverlord']);
    for (const [level, name] of ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'debug', 'debug'].entries()) {
      assert.equal(config({ env: { DEBUG_LEVEL: String(level) } }).LOG_LEVEL, name);
    }
  });
});

describe('a configuration file', () => {
  const wanted = {
    WS_PORT: 9000,
    FULL_TRICKLE: true,
    PUBLIC_IP: ['198.51.100.7', '198.51.100.8'],
    SUBSCRIBE_WAIT: 1500,
  };
  const taken = (files: Record<string, string>) => {
    const { WS_PORT, FULL_TRICKLE, PUBLIC_IP, SUBSCRIBE_WAIT } = config({ files });
    return { WS_PORT, FULL_TRICKLE, PUBLIC_IP, SUBSCRIBE_WAIT };
  };

  test('is JSON, with names in any of the usual forms and values as JSON has them', () => {
    const document = {
      'ws-port': 9000,
      fullTrickle: true,
      public_ip: ['198.51.100.7', '198.51.100.8'],
      SUBSCRIBE_WAIT: 1.5,
      API_SECRET: null,
    };
    assert.deepEqual(taken({ 'janus-sfu.json': JSON.stringify(document) }), wanted);
  });

  test('or INI, with headings, comments and quotes', () => {
    const lines = [
      '; ours',
      '[network]',
      'ws_port = 9000',
      'public-ip="198.51.100.7, 198.51.100.8"',
      '# more',
      '[else]',
      "FULL_TRICKLE = 'yes'",
      'subscribeWait=1.5',
    ];
    assert.deepEqual(taken({ 'janus-sfu.ini': lines.join('\r\n') }), wanted);
  });

  test('may be anywhere, by flag or variable; one that is named must be there', () => {
    const folder = folderWith({ 'my.json': '{"WS_PORT":9001}', 'my.ini': 'ws_port=9002', 'my.env': 'WS_PORT=9003' });
    assert.equal(config({ folder, locations: { CONFIG_FILE: 'my.json' } }).WS_PORT, 9001);
    assert.equal(config({ folder, env: { CONFIG_FILE: path.join(folder, 'my.ini') } }).WS_PORT, 9002);
    assert.equal(config({ folder, locations: { ENV_FILE: 'my.env', CONFIG_FILE: 'my.ini' } }).WS_PORT, 9003);
    for (const location of ['CONFIG_FILE', 'ENV_FILE', 'JANUS_FOLDER'] as const) {
      assert.match(
        read({ folder, locations: { [location]: 'nowhere' } }).problems.join(),
        /nowhere.*: there is no such file/,
      );
    }
  });

  test('that can not be read as what it is says why', () => {
    const problems = (name: string, text: string) => read({ files: { [name]: text } }).problems;
    assert.match(problems('janus-sfu.json', '{').join(), /^janus-sfu\.json: it is no JSON/);
    const unquoted = problems('janus-sfu.json', '{\n  "ADMIN_SECRET": hush\n}').join();
    assert.match(unquoted, /^janus-sfu\.json: it is no JSON/);
    assert.doesNotMatch(unquoted, /hush/);
    assert.match(problems('janus-sfu.json', '[1]').join(), /^janus-sfu\.json: it should be one JSON object/);
    assert.match(problems('janus-sfu.json', '{"WS_PORT":{}}').join(), /^janus-sfu\.json: WS_PORT: should be text/);
    assert.match(problems('janus-sfu.ini', 'hello').join(), /^janus-sfu\.ini: line 1 is neither/);
    const folder = folderWith({});
    mkdirSync(path.join(folder, '.env'));
    assert.match(read({ folder }).problems.join(), /\.env: the file can not be read \(EISDIR\)/);
  });
});

describe('Janus’ own file', () => {
  test('is read as its plugin reads it: [general] alone, and what is unknown there is a remark', () => {
    const text =
      '; comment\n[general]\nauth_key = /k.der\nmax_room_size = 15\nmessage_threads=3\nother=1\n[elsewhere]\nmax_ccu=1\n';
    const { result, problems, notes } = read({ files: { 'janus.plugin.sfu.cfg': text } });
    assert.deepEqual(problems, []);
    assert.ok(result.ok);
    const { AUTH_KEY, MAX_ROOM_SIZE, MAX_CCU } = result.config;
    assert.deepEqual([AUTH_KEY, MAX_ROOM_SIZE, MAX_CCU], ['/k.der', 15, 0]);
    assert.deepEqual(
      notes.map((note) => /line (\d+), (\w+)/.exec(note)?.slice(1)),
      [
        ['6', 'other'],
        ['8', 'max_ccu'],
      ],
    );
  });
});

describe('wrong settings', () => {
  test('of all places are said at once, each as it was written', () => {
    const { problems } = read({
      flags: new Map([['WS_PORT', 'x']]),
      env: { HTTP_PORT: 'y' },
      files: {
        '.env': 'MAX_CCU=many',
        'janus-sfu.ini': 'placment = spread\nnotify_scope = nobody',
        'janus.plugin.sfu.cfg': '[general]\nmax_room_size=big',
      },
    });
    assert.deepEqual(problems, [
      'janus-sfu.ini: there is no setting "placment"; did you mean PLACEMENT?',
      '--ws-port "x": should be a whole number from 0 to 65535',
      'HTTP_PORT="y": should be a whole number from 0 to 65535',
      'janus.plugin.sfu.cfg: max_room_size="big": should be a whole number from 0 to 1000000000',
      '.env: MAX_CCU="many": should be a whole number from 0 to 1000000000',
      'janus-sfu.ini: notify_scope="nobody": should be one of room, server',
    ]);
  });

  test('include an interface that this machine does not have', () => {
    assert.match(
      read({ env: { NETWORK_INTERFACE: 'nope7' } }).problems.join(),
      /^NETWORK_INTERFACE="nope7": no interface/,
    );
  });
});

test('the table of settings shows where each came from, and no secret', () => {
  const env = { ADMIN_SECRET: 'hunter2hunter2', API_SECRET: 'short', EVENT_LOOPS: '1' };
  const table = configTable(
    read({ env, files: { '.env': 'TOKEN_AUTH=true\nTOKEN_AUTH_SECRET=whisper' } }).result.values,
  );
  assert.doesNotMatch(table, /hunter2|short|whisper/);
  assert.match(table, /^ADMIN_SECRET=\*{8} +# environment$/m);
  assert.match(table, /^TOKEN_AUTH_SECRET=\*{8} +# \.env$/m);
  assert.match(table, /^SFU_WORKERS=1 +# environment, as EVENT_LOOPS$/m);
  assert.match(table, /^WS_PORT=8188 +# default$/m);
});
