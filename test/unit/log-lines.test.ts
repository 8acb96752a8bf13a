import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatForPeople } from '../../src/observability/log.js';

test('a log line for people stays one line, whatever an id holds', () => {
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
