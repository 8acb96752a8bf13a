/** Hostile bytes over HTTP: any of them get one answer, and everybody else goes on (threats.md W8, W15). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addIds, readPath, readPollQuery, splitUrl } from '../../src/janus/transports/rest-paths.js';
import { readRequest } from '../../src/janus/transports/rest-requests.js';
import { Random } from '../support/random.js';
import { sendRaw } from '../support/raw-http.js';
import { RestClient } from '../support/rest-client.js';
import { type RunningServer, startServer } from '../support/server.js';

/** Replaces, doubles or drops a few bytes. */
function mutate(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const at = random.below(changed.length + 1);
    const end = Math.min(changed.length, at + random.below(12));
    const middle = random.pick([Buffer.alloc(0), random.bytes(1 + random.below(6)), changed.subarray(at, end)]);
    changed = Buffer.concat([changed.subarray(0, random.pick([at, end])), middle, changed.subarray(end)]);
  }
  return changed;
}

const BODIES = [
  '{"janus":"create","transaction":"a","id":5}',
  '{"janus":"message","transaction":"\\ud800","session_id":9007199254740991,"handle_id":1,"body":{"kind":"join"}}',
  '{"janus":"trickle","candidates":[null,{"completed":true}],"__proto__":{"session_id":7},"transaction":""}',
].map((text) => Buffer.from(text));

const URLS = ['/janus/1234567890/987?maxev=5&rid=1&token=a%20b', '/janus/info', '/janus/?apisecret=%E2%9C%93#x'].map(
  (text) => Buffer.from(text),
);

describe('the reader of HTTP requests', () => {
  test('takes a request apart or says why not, whatever the bytes', () => {
    const random = new Random(1);
    const codes = new Set<number>();
    for (let n = 0; n < 50_000; n += 1) {
      const { path: text, query } = splitUrl(mutate(random.pick(URLS), random).toString('latin1'));
      const path = readPath('/janus', text);
      const { eventsMax } = readPollQuery(query);
      assert.ok(eventsMax === null || eventsMax >= 2);
      for (const id of Object.values(path)) assert.ok(typeof id === 'string' || (Number.isInteger(id) && id >= 0));
      const read = readRequest(mutate(random.pick(BODIES), random));
      const addressed = read.ok ? addIds(path, read.request) : read;
      if (!addressed.ok) codes.add(addressed.error.code);
    }
    assert.deepEqual(
      [...codes].sort().filter((code) => code !== 455),
      [454, 457],
    );
    assert.deepEqual(Object.keys(Object.prototype), []);
  });
});

describe('the server under mutated HTTP', () => {
  let server: RunningServer;
  before(async () => {
    const many = '1000000';
    const env = { HTTP_REQUEST_RATE: many, HTTP_REQUEST_BURST: many, HTTP_SESSIONS_PER_ADDRESS: many };
    server = await startServer({ env: { ...env, HTTP_POLL_TIMEOUT: '1', LOG_LEVEL: 'error' } });
  });
  after(async () => {
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  });

  test('answers with HTTP or closes the connection, and goes on serving', async () => {
    const random = new Random(2);
    const client = new RestClient(`${server.httpUrl}/janus`);
    const session = await client.create();
    const port = Number(new URL(server.httpUrl).port);
    const requests = BODIES.map((body) =>
      Buffer.from(
        `POST /janus HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    requests.push(Buffer.from(`GET /janus/${session}?maxev=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    let answered = 0;
    const send = async () => {
      const bytes = mutate(random.pick(requests), random);
      const answer = await sendRaw(port, bytes, true);
      answered += answer === '' ? 0 : 1;
      if (answer !== '') assert.match(answer, /^HTTP\/1\.1 [2345]\d\d /, bytes.toString('latin1'));
    };
    for (let n = 0; n < 200; n += 1) await Promise.all(Array.from({ length: 25 }, send));
    assert.ok(answered > 2000, `${answered} of 5000 were answered`);
    assert.equal((await client.post(`/${session}`, { janus: 'keepalive' })).janus, 'ack');
    client.close();
  });
});
