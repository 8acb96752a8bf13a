/**
 * Loaded into the real server before it starts (NODE_OPTIONS=--import), in its main thread and in each worker: does to it, from
 * inside, what tests can't do from outside. It listens on the Unix socket that FAULTS_SOCKET names; test/support/faults.ts
 * talks to it. No part of the server knows of it.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import v8 from 'node:v8';
import vm from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import type { Fault, FaultReply, Place, ThreadFigures } from './faults.js';

interface Command {
  id: number;
  at: Place;
  fault: Fault;
}

/** Where the next throw is to happen. */
let thrower: string | null = null;
let shard = -1;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

function figures(): ThreadFigures {
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return { heapUsed, external, arrayBuffers, resources };
}

/** Everything but Date goes on as before. */
function shiftClock(milliseconds: number): void {
  const Real = Object.getPrototypeOf(Date) === Function.prototype ? Date : (Object.getPrototypeOf(Date) as typeof Date);
  globalThis.Date = class extends Real {
    constructor(...values: [] | [number]) {
      super(...(values.length === 0 ? ([Real.now() + milliseconds] as const) : values));
    }

    static override now(): number {
      return Real.now() + milliseconds;
    }
  } as typeof Date;
}

/** Workers that start from now on have a copy of the main thread's environment. */
function ofWorkersToCome(name: string, on: boolean): void {
  if (on) process.env[name] = '1';
  else delete process.env[name];
}

function act(fault: Fault): ThreadFigures | null {
  switch (fault.do) {
    case 'stall':
      // After the reply; no core is needed to stand still.
      setImmediate(() => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.milliseconds);
        if (fault.thenDie) act({ do: 'die' });
      });
      return null;
    case 'die':
      setImmediate(() => {
        throw new Error('this fault was injected');
      });
      return null;
    case 'throw':
      thrower = fault.where;
      return null;
    case 'die-at-start':
      ofWorkersToCome('FAULTS_DIE', fault.on);
      return null;
    case 'no-certificate':
      ofWorkersToCome('FAULTS_NO_CERTIFICATE', fault.on);
      return null;
    case 'clock':
      shiftClock(fault.milliseconds);
      return null;
    case 'figures':
      return figures();
  }
}

/** Makes a method throw, once, when its turn is called for. */
function breakable(prototype: object, method: string, where: string): void {
  const original = Reflect.get(prototype, method) as (...values: unknown[]) => unknown;
  Reflect.set(prototype, method, function (this: unknown, ...values: unknown[]): unknown {
    if (thrower === where) {
      thrower = null;
      throw new Error(`this fault was injected: ${where}`);
    }
    return original.apply(this, values);
  });
}

async function prepareWorker(): Promise<void> {
  const [{ Control }, { DataRelay }, { Members }, { Peer }, { Relay }] = await Promise.all([
    import('../../workers/control.js'),
    import('../../workers/data-relay.js'),
    import('../../workers/members.js'),
    import('../../workers/peer.js'),
    import('../../workers/relay.js'),
  ]);
  breakable(Relay.prototype, 'receive', 'packet');
  breakable(DataRelay.prototype, 'receive', 'channel message');
  breakable(DataRelay.prototype, 'channelOpen', 'channel open');
  breakable(DataRelay.prototype, 'channelClosed', 'channel closed');
  breakable(Members.prototype, 'subscriberUp', 'connected');
  breakable(Peer.prototype, 'onState', 'state change');
  breakable(Peer.prototype, 'adopt', 'data channel');
  if (process.env.FAULTS_NO_CERTIFICATE) {
    const refuse = () => Promise.reject(new Error('this fault was injected: no certificate'));
    Reflect.set(crypto.subtle, 'generateKey', refuse);
  }
  const answer = Control.prototype.answerDoorbell;
  Control.prototype.answerDoorbell = function (number, ...rest) {
    shard = number;
    if (process.env.FAULTS_DIE) act({ do: 'die' });
    return answer.call(this, number, ...rest);
  };
  const channel = new BroadcastChannel('faults');
  channel.unref();
  channel.onmessage = ({ data }: { data: Command | FaultReply }) => {
    if (!('fault' in data) || data.at !== shard) return;
    channel.postMessage({ id: data.id, figures: act(data.fault) } satisfies FaultReply);
  };
}

function prepareMain(socketPath: string): void {
  const channel = new BroadcastChannel('faults');
  channel.unref();
  const server = createServer((socket) => {
    const reply = (message: FaultReply) => socket.write(`${JSON.stringify(message)}\n`);
    const relay = ({ data }: { data: Command | FaultReply }) => {
      if (!('fault' in data)) reply(data);
    };
    channel.onmessage = relay;
    socket.unref();
    socket.on('error', () => {});
    createInterface(socket).on('line', (line) => {
      const command = JSON.parse(line) as Command;
      if (command.at === 'main') reply({ id: command.id, figures: act(command.fault) });
      else channel.postMessage(command);
    });
  });
  server.listen(socketPath).unref();
}

if (!isMainThread) await prepareWorker();
else if (process.env.FAULTS_SOCKET) prepareMain(process.env.FAULTS_SOCKET);
