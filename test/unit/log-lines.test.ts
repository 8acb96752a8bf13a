import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog, formatForPeople } from '../../src/observability/log.js';

test('A9: a log line for people stays one line, whatever an id holds', () => {
  const line = formatForPeople(
    JSON.stringify({
      level: 'info',
      time: 0,
      user: 'eve\r\n00:00:00.000 info joined user="admin"',
      room: 5,
      msg: 'joined',
    }),
  );
  assert.equal(line, '00:00:00.000 info joined user="eve\\r\\n00:00:00.000 info joined user=\\"admin\\"" room=5\n');
});

describe('the log', () => {
  const open = (format: 'json' | 'text') => {
    const lines: string[] = [];
    const log = createLog('info', format, (line) => lines.push(line));
    return { log, take: () => lines.splice(0) };
  };

  for (const format of ['json', 'text'] as const) {
    test(`as ${format} changes its level while it runs`, () => {
      const { log, take } = open(format);
      const all = () => {
        for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log(level, `a ${level}`);
        return take().map((line) => /a (\w+)/.exec(line)?.[1]);
      };
      assert.equal(log.level, 'info');
      assert.deepEqual(all(), ['info', 'warn', 'error', 'fatal']);
      log.level = 'error';
      assert.deepEqual([log.level, all()], ['error', ['error', 'fatal']]);
      log.level = 'silent';
      assert.deepEqual(all(), []);
      log.level = 'debug';
      assert.deepEqual(all(), ['debug', 'info', 'warn', 'error', 'fatal']);
    });
  }

  test('leaves the time out, and puts it in again', () => {
    const { log, take } = open('text');
    log.timestamps = false;
    log('info', 'joined', { room: 'lobby' });
    assert.deepEqual(take(), ['info joined room="lobby"\n']);
    log.timestamps = true;
    log('info', 'joined');
    assert.match(take()[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} info joined\n$/);
    const json = open('json');
    json.log.timestamps = false;
    json.log('info', 'joined');
    assert.deepEqual(JSON.parse(json.take()[0] ?? ''), { level: 'info', msg: 'joined' });
  });

  test('colours the level of lines for people, and nothing that a client wrote', () => {
    const { log, take } = open('text');
    log.timestamps = false;
    log.colors = true;
    log('error', 'refused', { user: '\u001b[31mred' });
    assert.deepEqual(take(), ['\u001b[31merror\u001b[0m refused user="\\u001b[31mred"\n']);
  });

  test('cuts what is very long', () => {
    const { log, take } = open('json');
    log('info', 'joined', { room: 'x'.repeat(1000) });
    assert.equal(JSON.parse(take()[0] ?? '').room, `${'x'.repeat(300)}…`);
  });
});
