/** Who talks, told by the server from what real browsers write into their packets. */
import assert from 'node:assert/strict';
import { browserTest, eventually } from '../support/browser.js';
import { dataOf, JanusClient } from '../support/janus-client.js';
import { Guest, withServer } from '../support/page-guest.js';

browserTest('who asked for it is told when a page is to be heard, and others are not', (browser) =>
  withServer({}, async (server, guests) => {
    const listeners = await Promise.all(
      [true, false].map(async (talking) => {
        const client = await JanusClient.connect(server.wsUrl);
        const subscribe = { data: true, notifications: true, ...(talking && { talking }) };
        await client.join('garden', `listener ${talking}`, subscribe);
        return client;
      }),
    );
    const ada = await Guest.open(browser, server.httpUrl, 'ada');
    guests.push(ada);
    await ada.joined();
    const told = (client: JanusClient | undefined) =>
      (client?.received ?? []).map(dataOf).filter(({ event }) => event === 'talking');
    await eventually(
      'the test tone is heard',
      async () => told(listeners[0]),
      (events) => events.some(({ talking }) => talking === true),
    );
    const [first] = told(listeners[0]);
    assert.match(String(first?.user_id), /^ada~/);
    assert.equal(first?.room_id, 'garden');
    assert.deepEqual(told(listeners[1]), []);
    for (const client of listeners) await client.close();
  }),
);
