/** Deliveries of webhooks, over real connections to a real receiver. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, beforeEach, describe, test } from 'node:test';
import { Deliveries, type DeliveriesSettings } from '../../src/webhooks/deliveries.js';
import { Receiver } from '../../src/webhooks/receiver.js';
import { readSecret, signedHeaders } from '../../src/webhooks/signature.js';
import { Observable } from '../support/observable.js';
import { isSigned, status, WebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = 'between us two, nobody else';
const QUICK = { server: 'test', queueMax: 100, retryFirst: 5, retryMost: 20 };

let receiver: WebhookReceiver;
const opened: WebhookReceiver[] = [];
after(() => Promise.all(opened.map((one) => one.close())));
beforeEach(async () => {
  receiver = new WebhookReceiver();
  opened.push(receiver);
  await receiver.listen();
});

function open(settings: Partial<DeliveriesSettings> = {}, timeout = 5000) {
  const to = new Receiver({ url: receiver.url, key: readSecret(SECRET), timeout });
  const log: string[] = [];
  const said = new Observable();
  const deliveries = new Deliveries(
    { ...QUICK, ...settings },
    (event, signal) => to.post(event, signal),
    (level, message, fields) => {
      log.push(`${level} ${message} ${fields?.reason ?? fields?.events ?? ''}`.trim());
      said.changed();
    },
  );
  const join = (user: string) => deliveries.tell({ type: 'join', room: 'r', user });
  return { deliveries, log, said, join };
}

const came = (count: number) => receiver.until(() => receiver.received.length >= count, `${count} deliveries`);

describe('webhook events', () => {
  test('come in order, one at a time, numbered, each with an id of its own and a signature of now', async () => {
    let open_ = 0;
    let most = 0;
    receiver.answer = (response) => {
      open_ += 1;
      most = Math.max(most, open_);
      setImmediate(() => {
        open_ -= 1;
        response.writeHead(200).end('thanks');
      });
    };
    const { deliveries, join } = open();
    const users = Array.from({ length: 30 }, (_, index) => `user ${index}`);
    for (const user of users) join(user);
    await deliveries.close(5000);
    assert.deepEqual(
      receiver.lines(),
      users.map((user) => `join r ${user}`),
    );
    assert.deepEqual(
      receiver.received.map(({ event }) => event.sequence),
      users.map((_, index) => index + 1),
    );
    assert.equal(new Set(receiver.received.map(({ event }) => event.id)).size, users.length);
    for (const one of receiver.received) {
      assert.ok(isSigned(one, SECRET));
      assert.ok(!isSigned({ ...one, body: `${one.body} ` }, SECRET));
      assert.equal(one.headers['webhook-id'], one.event.id);
      assert.ok(Math.abs(Date.now() / 1000 - Number(one.headers['webhook-timestamp'])) < 10);
      assert.equal(one.headers['content-type'], 'application/json');
    }
    assert.equal(most, 1);
    assert.deepEqual([deliveries.counters.delivered, deliveries.waiting], [users.length, 0]);
  });

  for (const code of [500, 503, 429, 408]) {
    test(`are sent again under the same id while the receiver answers ${code}, and stay in order`, async () => {
      receiver.answer = (response, received, number) => status(number <= 3 ? code : 200)(response, received, number);
      const { deliveries, log, join } = open();
      join('ann');
      join('bob');
      await came(5);
      await deliveries.close(5000);
      assert.deepEqual(receiver.lines(), [...Array(4).fill('join r ann'), 'join r bob']);
      assert.equal(new Set(receiver.received.slice(0, 4).map(({ event }) => event.id)).size, 1);
      assert.deepEqual([deliveries.counters.delivered, deliveries.counters.retries], [2, 3]);
      assert.deepEqual(log, [
        `warn the webhook receiver fails status ${code}`,
        'info the webhook receiver answers again',
      ]);
    });
  }

  test('wait for a receiver whose port is closed', async () => {
    await receiver.close();
    const { deliveries, log, said, join } = open();
    join('ann');
    join('bob');
    await said.until(() => log.length > 0, 'a line about the receiver');
    assert.deepEqual(log, ['warn the webhook receiver fails ECONNREFUSED']);
    await receiver.listen();
    await came(2);
    await deliveries.close(5000);
    assert.deepEqual(receiver.lines(), ['join r ann', 'join r bob']);
  });

  test('are given up where the receiver refuses them, and not sent elsewhere', async () => {
    const elsewhere = new WebhookReceiver();
    opened.push(elsewhere);
    await elsewhere.listen();
    const answers = [status(400), status(410), status(307, { Location: elsewhere.url })];
    receiver.answer = (response, received, number) => answers[number - 1]?.(response, received, number);
    const { deliveries, log, join } = open();
    for (const user of ['ann', 'bob', 'eve']) join(user);
    await came(3);
    await deliveries.close(5000);
    assert.deepEqual([receiver.received.length, elsewhere.received.length], [3, 0]);
    assert.deepEqual([deliveries.counters.refused, deliveries.counters.retries], [3, 0]);
    assert.deepEqual(
      log,
      [400, 410, 307].map((code) => `warn the webhook receiver refused an event status ${code}`),
    );
  });

  test('are sent again to a receiver that does not answer in time', async () => {
    receiver.answer = (response, received, number) => {
      if (number > 1) status(200)(response, received, number);
    };
    const { deliveries, log, join } = open({}, 50);
    join('ann');
    await came(2);
    await deliveries.close(5000);
    assert.equal(deliveries.counters.delivered, 1);
    assert.equal(log[0], 'warn the webhook receiver fails no answer in time');
  });

  test('beyond the bound push out the oldest but the one on its way, and the gap shows', async () => {
    const held: ServerResponse[] = [];
    receiver.answer = (response) => void held.push(response);
    const { deliveries, log, join } = open({ queueMax: 3 });
    join('first');
    await came(1);
    for (let i = 0; i < 1000; i += 1) join(`user ${i}`);
    assert.deepEqual([deliveries.waiting, deliveries.counters.overflowed], [3, 998]);
    receiver.answer = status(200);
    for (const response of held) response.writeHead(200).end();
    await came(3);
    await deliveries.close(5000);
    assert.deepEqual(receiver.lines(), ['join r first', 'join r user 998', 'join r user 999']);
    assert.deepEqual(
      receiver.received.map(({ event }) => event.sequence),
      [1, 1000, 1001],
    );
    assert.deepEqual(log, ['warn webhook events are lost: too many wait']);
  });

  test('are never more than one where the bound is one', async () => {
    const held: ServerResponse[] = [];
    receiver.answer = (response) => void held.push(response);
    const { deliveries, join } = open({ queueMax: 1 });
    join('ann');
    await came(1);
    join('bob');
    join('eve');
    assert.equal(deliveries.waiting, 1);
    receiver.answer = status(200);
    for (const response of held) response.writeHead(200).end();
    await came(2);
    await deliveries.close(5000);
    assert.deepEqual(receiver.lines(), ['join r ann', 'join r eve']);
  });

  test('are given up after a while, all that are as old at once', async () => {
    receiver.answer = status(500);
    const { deliveries, log, said, join } = open({ expiry: 1, retryFirst: 20 });
    for (let i = 0; i < 10; i += 1) join(`user ${i}`);
    await said.until(() => deliveries.waiting === 0, 'an empty queue');
    receiver.answer = status(200);
    join('late');
    await receiver.until(() => receiver.lines().includes('join r late'), 'the late one');
    await deliveries.close(5000);
    assert.deepEqual([deliveries.counters.expired, deliveries.counters.delivered], [10, 1]);
    assert.ok(receiver.received.length < 10, 'they were not tried one after the other');
    assert.ok(log.includes('warn webhook events are lost: the receiver failed for too long 10'), log.join('\n'));
  });

  test('never make the one wait who tells of them', async () => {
    receiver.answer = () => {};
    const { deliveries, join } = open({ queueMax: 10_000 });
    const start = performance.now();
    for (let i = 0; i < 10_000; i += 1) join('ann');
    assert.ok(performance.now() - start < 4000, `${performance.now() - start} ms`);
    await deliveries.close(1);
  });
});

describe('at the server’s end', () => {
  test('what waits is delivered, also to a receiver that just failed', async () => {
    receiver.answer = (response, received, number) => status(number === 1 ? 500 : 200)(response, received, number);
    const { deliveries, join } = open({ retryFirst: 60_000, retryMost: 60_000 });
    for (const user of ['ann', 'bob']) join(user);
    await came(1);
    await deliveries.close(5000);
    assert.deepEqual(receiver.lines(), ['join r ann', 'join r ann', 'join r bob']);
    assert.equal(deliveries.counters.abandoned, 0);
  });

  test('a receiver that does not answer holds it up no longer than allowed, and what is lost is said', async () => {
    receiver.answer = () => {};
    const { deliveries, log, join } = open({}, 60_000);
    for (const user of ['ann', 'bob']) join(user);
    await came(1);
    const start = performance.now();
    await deliveries.close(100);
    assert.ok(performance.now() - start < 4000, `${performance.now() - start} ms`);
    assert.deepEqual([deliveries.counters.abandoned, deliveries.waiting], [2, 0]);
    assert.deepEqual(log, ['warn webhook events are lost: the server ended 2']);
    join('too late');
    assert.equal(deliveries.waiting, 0);
  });

  test('nothing that waits means no wait', async () => {
    const { deliveries } = open();
    await deliveries.close(60_000);
    assert.equal(deliveries.counters.abandoned, 0);
  });
});

describe('the signature', () => {
  test('is that of Standard Webhooks, with keys as it writes them', () => {
    const key = Buffer.from('a key of twenty-four bytes!');
    assert.deepEqual(readSecret(`whsec_${key.toString('base64')}`), key);
    const headers = signedHeaders(key, 'msg_1', 1_700_000_000.9, '{"a":1}');
    const wanted = createHmac('sha256', key).update('msg_1.1700000000.{"a":1}').digest('base64');
    assert.deepEqual(headers, {
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': `v1,${wanted}`,
    });
  });
});
