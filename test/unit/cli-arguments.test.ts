import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../src/cli/arguments.js';
import { readDuration } from '../../src/cli/duration.js';
import { nearest } from '../../src/config/nearest.js';

const command = {
  settings: true,
  options: [
    { name: 'room', value: 'room', meaning: '', repeated: true },
    { name: 'json', meaning: '' },
  ],
};
const read = (...args: string[]) => {
  const { given, problems } = readArguments(args, command);
  assert.deepEqual(problems, []);
  return given;
};
const problems = (...args: string[]) => readArguments(args, command).problems;

describe('arguments', () => {
  test('are settings by their names in kebab case, with a space or an equals sign', () => {
    assert.deepEqual(
      [...read('--ws-port', '9000', '--max-ccu=5', '--event-loops', '2').flags],
      [
        ['WS_PORT', '9000'],
        ['MAX_CCU', '5'],
        ['EVENT_LOOPS', '2'],
      ],
    );
  });

  test('that are true or false need no value, and have an opposite', () => {
    const flags = (...args: string[]) => read(...args).flags.get('FULL_TRICKLE');
    assert.equal(flags('--full-trickle'), 'true');
    assert.equal(flags('--no-full-trickle'), 'false');
    assert.equal(flags('--full-trickle=no'), 'no');
    assert.equal(flags('--full-trickle', '--no-full-trickle'), 'false');
  });

  test('are options of the command, some of them several times', () => {
    const given = read('--room', 'a', '--json', '--room=--b', '--config-file', 'x.json', '-h');
    assert.deepEqual(given.values('room'), ['a', '--b']);
    assert.equal(given.value('room'), '--b');
    assert.deepEqual([given.has('json'), given.has('help'), given.has('version')], [true, true, false]);
    assert.equal(given.locations.get('CONFIG_FILE'), 'x.json');
  });

  test('that are wrong are all said, with what was probably meant', () => {
    assert.deepEqual(problems('--ws-prt', '9000', '--jsn', '--room', '--max-ccu', 'extra', 'more', '--json=1'), [
      '--ws-prt: there is no such flag; did you mean --ws-port?',
      '--jsn: there is no such flag; did you mean --json?',
      '--room: needs a value',
      '"extra": not expected here; a value follows its flag, as in --ws-port 8188',
      '"more": not expected here; a value follows its flag, as in --ws-port 8188',
      '--json: takes no value',
    ]);
    assert.deepEqual(problems('--room='), ['--room: needs a value that is not empty']);
    assert.deepEqual(problems('--ws-port'), ['--ws-port: needs a value']);
    assert.deepEqual(problems('--zzzzzzzzzzzz'), ['--zzzzzzzzzzzz: there is no such flag']);
    assert.deepEqual(problems('--no-ws-port'), ['--no-ws-port: there is no such flag; did you mean --ws-port?']);
    assert.deepEqual(problems('-x'), ['-x: there is no such flag']);
  });

  test('of a command without settings are its own only', () => {
    const own = readArguments(['--ws-port', '1'], { ...command, settings: false });
    assert.match(own.problems.join(), /^--ws-port: there is no such flag/);
  });
});

test('times are numbers with a unit', () => {
  const times = { '90': 90, '90s': 90, '15m': 900, '1h': 3600, '7d': 604_800 };
  for (const [text, seconds] of Object.entries(times)) assert.equal(readDuration(text), seconds);
  for (const text of ['', '0', '0h', '-1h', '1.5h', '1w', 'h', '1 h', '1e9', '9999999999']) {
    assert.equal(readDuration(text), null, text);
  }
});

test('the nearest name is found where it is near enough, and none where all are far', () => {
  assert.equal(nearest('WS_PRT', ['WS_PORT', 'HTTP_PORT']), 'WS_PORT');
  assert.equal(nearest('tokn', ['token', 'load']), 'token');
  assert.equal(nearest('xyzzy', ['token', 'load']), null);
  assert.equal(nearest('x'.repeat(10_000), ['token']), null);
});
