/** What strangers, and somebody on the path, send to the media port (threats.md N1..N5, N10). */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { assertUndisturbed, bystanders, inBursts } from '../support/bystanders.js';
import { assertContinuous } from '../support/call.js';
import { isMedia, ServerProxy } from '../support/lossy-proxy.js';
import { Random } from '../support/random.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

const MAGIC_COOKIE = '2112a442';
/** A STUN message (RFC 8489 5): its type, its attributes, and the length that it says. */
function stun(type: number, attributes: Buffer = Buffer.alloc(0), length = attributes.length): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(length & 0xffff, 2);
  return Buffer.concat([head, Buffer.from(MAGIC_COOKIE, 'hex'), Buffer.alloc(12, 7), attributes]);
}
function attribute(type: number, value: Buffer, length = value.length): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(length & 0xffff, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}
const USERNAME = 0x0006;
const INTEGRITY = 0x0008;
const FINGERPRINT = 0x8028;
const PRIORITY = 0x0024;
const name = attribute(USERNAME, Buffer.from('abcd:efgh'));

/** Every way in which a STUN message can be wrong that we could think of. */
const STUN_SET: Buffer[] = [
  stun(0x0001),
  stun(0x0001, name),
  stun(
    0x0001,
    Buffer.concat([name, attribute(INTEGRITY, Buffer.alloc(20, 1)), attribute(FINGERPRINT, Buffer.alloc(4))]),
  ),
  stun(0x0001, Buffer.concat([name, attribute(INTEGRITY, Buffer.alloc(3))])),
  stun(0x0001, attribute(USERNAME, Buffer.alloc(600, 0x61))),
  stun(0x0001, attribute(USERNAME, Buffer.alloc(4), 65_535)),
  stun(0x0001, attribute(USERNAME, Buffer.from('%s%n:%s%n'))),
  stun(0x0001, attribute(USERNAME, Buffer.alloc(0))),
  stun(0x0001, attribute(PRIORITY, Buffer.alloc(1))),
  stun(0x0001, Buffer.concat(Array.from({ length: 100 }, () => attribute(0x7fff, Buffer.alloc(4))))),
  stun(0x0001, Buffer.alloc(0), 65_532),
  stun(0x0001, Buffer.alloc(0), 3),
  stun(0x0001, name, 4),
  stun(0x0101, name),
  stun(0x0111, attribute(0x0009, Buffer.from([0, 0, 4, 1]))),
  stun(0x0011, name),
  stun(0x3fff, name),
  stun(0x0003, attribute(0x0019, Buffer.from([17, 0, 0, 0]))),
  stun(0x0001).subarray(0, 19),
  stun(0x0001).subarray(0, 1),
];

/** RFC 6347 4.2.2: a ClientHello that offers to encrypt with nothing (TLS_NULL_WITH_NULL_NULL, TLS_RSA_WITH_NULL_SHA). */
function nullCipherHello(sequence: number): Buffer {
  const body = Buffer.concat([
    Buffer.from('fefd', 'hex'),
    Buffer.alloc(32, sequence & 255),
    Buffer.from('0000000400000002010000', 'hex'),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0, 0, body.length, 0, 0, 0, 0, 0, 0, 0, body.length]), body]);
  const record = Buffer.from('16feff00000000000000000000', 'hex');
  record.writeUIntBE(sequence, 5, 6);
  record.writeUInt16BE(handshake.length, 11);
  return Buffer.concat([record, handshake]);
}

/** A few bytes changed, cut off or added. */
function mutated(random: Random, datagram: Buffer): Buffer {
  const mutant = Buffer.concat([datagram, random.bytes(random.once(4) ? random.below(200) : 0)]);
  for (let i = 1 + random.below(4); i > 0; i--) mutant[random.below(Math.min(40, mutant.length))] = random.below(256);
  return random.once(3) ? mutant.subarray(0, 1 + random.below(mutant.length)) : mutant;
}

describe('at the media port', () => {
  const suite = usingRooms({ workers: 1 });
  let stranger: Socket;
  /** What came back to the stranger. */
  let answers: Buffer[];
  const proxies: ServerProxy[] = [];
  const proxy = async () => {
    const one = await ServerProxy.start();
    proxies.push(one);
    return one;
  };
  beforeEach(() => {
    answers = [];
    stranger = createSocket('udp4');
    stranger.on('message', (datagram) => answers.push(Buffer.from(datagram)));
  });
  afterEach(async () => {
    await suite.room.close();
    stranger.close();
    for (const one of proxies.splice(0)) one.close();
  });

  test('N1: 20,000 mutated datagrams of a stranger change nothing for anybody', { timeout: 120_000 }, async () => {
    const other = await bystanders(suite.room);
    const random = new Random(3);
    const rtp = Buffer.from(other.source.video.next(false, 0));
    const shapes = [rtp, nullCipherHello(1), stun(0x0001, name), Buffer.alloc(100, 0xff)];
    await inBursts(20_000, () => {
      stranger.send(mutated(random, random.pick(shapes)), other.sink.serverPort, '127.0.0.1');
      return true;
    });
    await assertUndisturbed(other);
  });

  test('N2: five calls come up while a stranger begins DTLS without encryption all the time', {
    timeout: 120_000,
  }, async () => {
    const other = await bystanders(suite.room);
    let sent = 0;
    const spray = setInterval(() => {
      for (let i = 0; i < 20; i++) stranger.send(nullCipherHello(sent++), other.sink.serverPort, '127.0.0.1');
    }, 2);
    try {
      for (let i = 0; i < 5; i++) {
        const user = await suite.room.enter(`user${i}`);
        const source = await user.publish();
        source.start();
        const sink = await (await suite.room.enter(`listener${i}`)).subscribe(user.id);
        await sink.more('video', 20);
        await Promise.all([source.close(), sink.close()]);
      }
    } finally {
      clearInterval(spray);
    }
    assert.ok(sent > 1000, `${sent} hellos were sent`);
    assert.deepEqual(answers, [], 'nobody answers a stranger’s handshake');
    await assertUndisturbed(other);
  });

  test('N3: 10,000 packets with a wrong authentication tag from the client’s own address end no call', {
    timeout: 120_000,
  }, async () => {
    const path = await proxy();
    let last: Buffer | null = null;
    path.lose = (datagram, towards) => {
      if (towards === 'server' && isMedia(datagram)) last = Buffer.from(datagram);
      return false;
    };
    const other = await bystanders(suite.room, { alice: path.via });
    const random = new Random(4);
    await inBursts(10_000, () => {
      if (!last) return false;
      const forged = Buffer.from(last);
      // The tag's bytes, or those that it is of; sometimes with a number that is yet to come.
      const at = random.once(2) ? forged.length - 1 - random.below(10) : 12 + random.below(forged.length - 12);
      forged[at] = (forged[at] ?? 0) ^ (1 + random.below(255));
      if (random.once(2)) forged.writeUInt16BE((forged.readUInt16BE(2) + random.below(1000)) & 0xffff, 2);
      path.inject(forged);
      return true;
    });
    await assertUndisturbed(other);
  });

  test('N4: what arrives twice or is played back later reaches a subscriber once', { timeout: 60_000 }, async () => {
    const random = new Random(5);
    const old: Buffer[] = [];
    const [up, down] = [await proxy(), await proxy()];
    let copies = 0;
    for (const path of [up, down]) {
      path.replay = (datagram) => {
        if (!isMedia(datagram)) return [];
        if (old.length < 2000) old.push(Buffer.from(datagram));
        const again = [...(random.below(10) < 3 ? [datagram] : []), ...(random.once(20) ? [random.pick(old)] : [])];
        copies += again.length;
        return again;
      };
    }
    const other = await bystanders(suite.room, { alice: up.via, bob: down.via });
    await other.sink.more('video', 200);
    assert.ok(copies > 100, `${copies} copies were sent`);
    for (const kind of ['audio', 'video'] as const) assertContinuous(other.sink, kind);
    await assertUndisturbed(other);
  });

  test('N5: nothing is sent to an address from which a stranger plays packets back, and none of them counts', {
    timeout: 60_000,
  }, async () => {
    const path = await proxy();
    const seen: Buffer[] = [];
    path.lose = (datagram, towards) => {
      if (towards === 'server' && isMedia(datagram)) seen.push(Buffer.from(datagram));
      return false;
    };
    const other = await bystanders(suite.room, { alice: path.via });
    const random = new Random(6);
    await inBursts(3000, () => {
      stranger.send(random.pick(seen), other.sink.serverPort, '127.0.0.1');
      return true;
    });
    await assertUndisturbed(other);
    const isStun = (datagram: Buffer) => (datagram[0] ?? 255) < 4;
    assert.equal(answers.filter((datagram) => !isStun(datagram)).length, 0);
  });

  test('N10: STUN in every broken form is survived, and answered with less than came', {
    timeout: 120_000,
  }, async () => {
    const other = await bystanders(suite.room);
    const random = new Random(7);
    let sent = 0;
    const send = (datagram: Buffer) => {
      sent += datagram.length;
      stranger.send(datagram, other.sink.serverPort, '127.0.0.1');
      return true;
    };
    for (const datagram of STUN_SET) send(datagram);
    await inBursts(5000, (index) => {
      const datagram = STUN_SET[index % STUN_SET.length] ?? stun(1);
      return send(random.once(3) ? datagram : mutated(random, datagram));
    });
    await assertUndisturbed(other);
    const received = answers.reduce((sum, { length }) => sum + length, 0);
    assert.ok(received <= sent, `${received} bytes came back for ${sent}`);
  });
});
