/**
 * How long people wait, in Chromium on loopback: median and worst of 20 (`--rounds N`) of
 *  - connect to joined: from opening the WebSocket to the reply to join, in naf-janus-adapter's order of messages;
 *  - subscribe to first frame: from attaching a handle to the first decoded video frame;
 *  - closed to gone: from closing a page to the `leave` event on another one.
 *
 * Rounds are a second apart: nearer ones would measure the pause that the server keeps between two keyframe requests
 * to one publisher.
 *
 * Run: npm run bench:browser [-- --rounds 20] [--json]
 */
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { eventually, launchBrowser, openTested, quietFor, type TestedPage } from '../test/support/browser.js';
import { startServer } from '../test/support/server.js';

/** The figures that a Janus 0.14 with the Rust plugin reached, and those that we want: median and worst, ms. */
const TARGETS: Record<string, { reference: [number, number]; wanted: [number, number] }> = {
  'connect to joined': { reference: [145, 180], wanted: [145, 180] },
  'subscribe to first frame': { reference: [296, 870], wanted: [200, 500] },
  'closed to gone': { reference: [112, 240], wanted: [112, 240] },
};

const ROUND_PAUSE_MS = 1_000;

/** Runs in a page of ours, with the modules that the page itself uses. */
const CLIENT = `
  window.client = (async () => {
    const { Publisher, Session, Subscriber } = await import('/src/client/index.js');
    const { testPattern } = await import('/test-pattern.js');
    const left = [];
    return {
      left,
      /** Publishes and joins; returns the milliseconds until joined. */
      async join(url, room, user, sending) {
        const stream = sending ? testPattern(user).stream : null;
        const started = performance.now();
        const session = await Session.open(url);
        const handle = await session.attach();
        handle.on('leave', ({ user_id }) => left.push({ user: user_id, at: Date.now() }));
        const publisher = new Publisher(handle, { stream });
        await publisher.negotiated();
        await publisher.connected();
        await handle.join({ room, user, subscribe: { notifications: true, data: true } });
        this.session = session;
        this.publisher = publisher;
        return performance.now() - started;
      },
      leave() {
        this.publisher.close();
        this.session.close();
      },
      /** Subscribes to somebody; returns the milliseconds until the first decoded frame. */
      async firstFrame(room, user, publisher) {
        const started = performance.now();
        let subscriber;
        const frame = new Promise((resolve, reject) => {
          setTimeout(() => reject(new Error('no frame within 10 s')), 10000);
          this.session.attach().then((handle) => {
            subscriber = new Subscriber(handle);
            subscriber.on('track', ({ track }) => {
              if (track.kind === 'video') window.probe.nextFrame(track, 10000).then(resolve, reject);
            });
            return subscriber.subscribe({ room, user }, publisher);
          }).catch(reject);
        });
        await frame;
        const elapsed = performance.now() - started;
        subscriber.close();
        return elapsed;
      },
    };
  })();
  window.client.then(() => true)`;

async function openClient(browser: Browser, httpUrl: string): Promise<TestedPage> {
  const tested = await openTested(browser, httpUrl);
  await tested.run(CLIENT);
  return tested;
}

async function measure(rounds: number): Promise<Record<string, number[]>> {
  const server = await startServer({ env: {} });
  const browser = await launchBrowser();
  const figures: Record<string, number[]> = Object.fromEntries(Object.keys(TARGETS).map((name) => [name, []]));
  const add = (name: string, value: number) => figures[name]?.push(value);
  const call = <T>(tested: TestedPage, method: string, ...values: unknown[]) =>
    tested.run<T>(`client.then((it) => it.${method}(...${JSON.stringify(values)}))`);
  try {
    const publisher = await openClient(browser, server.httpUrl);
    await call(publisher, 'join', server.wsUrl, 'bench', 'publisher', true);

    const joiner = await openClient(browser, server.httpUrl);
    for (let round = 0; round < rounds; round += 1) {
      await quietFor(ROUND_PAUSE_MS);
      add('connect to joined', await call<number>(joiner, 'join', server.wsUrl, 'bench', `joiner ${round}`, false));
      await call(joiner, 'leave');
    }

    await call(joiner, 'join', server.wsUrl, 'bench', 'subscriber', false);
    for (let round = 0; round < rounds; round += 1) {
      await quietFor(ROUND_PAUSE_MS);
      add('subscribe to first frame', await call<number>(joiner, 'firstFrame', 'bench', 'subscriber', 'publisher'));
    }

    for (let round = 0; round < rounds; round += 1) {
      await quietFor(ROUND_PAUSE_MS);
      const user = `visitor ${round}`;
      const visitor = await openClient(browser, server.httpUrl);
      await call(visitor, 'join', server.wsUrl, 'bench', user, true);
      const closed = Date.now();
      await visitor.page.close();
      const left = `client.then(({ left }) => left.find((one) => one.user === '${user}')?.at ?? 0)`;
      const gone = await eventually(
        `${user} has left`,
        () => publisher.run<number>(left),
        (at) => at > 0,
      );
      add('closed to gone', gone - closed);
      await visitor.close();
    }
  } finally {
    await browser.close();
    await server.stop();
  }
  return figures;
}

function summarise(values: number[]): { median: number; worst: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return { median: (low + high) / 2, worst: sorted.at(-1) ?? Number.NaN };
}

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds ${options.rounds}: a whole number from 1 was expected`);
const measured = Object.entries(await measure(rounds)).map(([figure, values]) => ({
  figure,
  ...summarise(values),
  values,
}));
if (options.json) {
  console.log(JSON.stringify({ rounds, unit: 'ms', figures: measured, targets: TARGETS }, null, 2));
} else {
  const ms = (value: number | undefined) => (value === undefined ? '' : value.toFixed(0).padStart(7));
  console.log(`ms, of ${rounds}                median   worst | wanted  worst | reference worst`);
  for (const { figure, median, worst } of measured) {
    const target = TARGETS[figure];
    const wanted = `${ms(target?.wanted[0])}${ms(target?.wanted[1])}`;
    const reference = `${ms(target?.reference[0])}${ms(target?.reference[1])}`;
    console.log(`${figure.padEnd(26)}${ms(median)}  ${ms(worst)} |${wanted} |  ${reference}`);
  }
}
