/** UDP proxies that treat datagrams as a bad line does: between clients and a server, or between two peers. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Link, type LinkConditions } from './network.js';
import { RealTime } from './real-time.js';

/** What a line does to each direction, as its user sees it; what is left out has no faults. */
export interface LineConditions {
  up?: LinkConditions;
  down?: LinkConditions;
}

/** A user's line. All flows of the user share it: its losses, and its rate and queue. */
export class Line {
  readonly up: Link;
  readonly down: Link;

  constructor(time: RealTime, seed: number) {
    this.up = new Link(time.clock, seed, {});
    this.down = new Link(time.clock, seed + 1, {});
  }

  /** From now on; a packet that is on its way already arrives as it would have. */
  impair({ up = {}, down = {} }: LineConditions): void {
    this.up.conditions = up;
    this.down.conditions = down;
  }
}

/** RTP and RTCP by their first bytes (RFC 7983 7); what SRTP leaves readable is the header. */
export function isMedia(datagram: Buffer): boolean {
  const first = datagram[0] ?? 0;
  return first >= 128 && first <= 191;
}

export interface ServerProxyOptions {
  /** Of a call's proxies together; a time of its own otherwise. */
  time?: RealTime;
  /** Of the line's faults. */
  seed?: number;
  /** The server's media port, unless {@link ServerProxy.via} is to learn it. */
  serverPort?: number;
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** One user's way to a server's media port: the user's client is told {@link port} in its place. */
export class ServerProxy {
  readonly line: Line;
  /** Says which datagrams are lost beside those that the line loses. */
  lose: (datagram: Buffer, towards: 'server' | 'client') => boolean = () => false;
  /** Datagrams that go the way of this one behind it: copies of it, or of others. */
  replay: (datagram: Buffer, towards: 'server' | 'client') => Buffer[] = () => [];
  readonly #front: Socket;
  readonly #time: RealTime;
  readonly #stopTime: () => void;
  #serverPort: number;
  /** One per flow: the server tells its clients apart by their addresses. */
  readonly #backs = new Map<string, Socket>();

  private constructor(front: Socket, { time, seed = 1, serverPort = 0 }: ServerProxyOptions) {
    const own = time ?? new RealTime();
    this.#front = front;
    this.#serverPort = serverPort;
    this.#time = own;
    this.#stopTime = () => {
      if (!time) own.stop();
    };
    this.line = new Line(own, seed);
    front.on('message', (datagram, { address, port }) => {
      if (this.#serverPort === 0 || this.lose(datagram, 'server')) return;
      const back = this.#back(address, port);
      own.catchUp();
      for (const one of [datagram, ...this.replay(datagram, 'server')]) {
        this.line.up.send(one, (bytes) => back.send(bytes, this.#serverPort, '127.0.0.1'));
      }
      own.arm();
    });
  }

  static async start(options: ServerProxyOptions = {}): Promise<ServerProxy> {
    return new ServerProxy(await bound(), options);
  }

  /** A server's candidate with the proxy's port for its own; remembers the latter. */
  readonly via = (candidate: string): string => {
    const fields = candidate.split(' ');
    this.#serverPort = Number(fields[5]);
    fields[5] = String(this.port);
    return fields.join(' ');
  };

  get port(): number {
    return this.#front.address().port;
  }

  /** Sends the server a datagram from the addresses that it knows the clients by. */
  inject(datagram: Buffer): void {
    for (const back of this.#backs.values()) back.send(datagram, this.#serverPort, '127.0.0.1');
  }

  close(): void {
    this.#stopTime();
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #back(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    const known = this.#backs.get(key);
    if (known) return known;
    const back = createSocket('udp4');
    back.on('message', (datagram) => {
      if (this.lose(datagram, 'client')) return;
      this.#time.catchUp();
      for (const one of [datagram, ...this.replay(datagram, 'client')]) {
        this.line.down.send(one, (bytes) => this.#front.send(bytes, port, address));
      }
      this.#time.arm();
    });
    this.#backs.set(key, back);
    return back;
  }
}

/** The way between two peers, over the lines of both. Each is told one of the two ports for the other's candidate. */
export class PeerProxy {
  readonly lines: readonly [Line, Line];
  readonly #sockets: readonly [Socket, Socket];
  /** Where each peer sends from, as far as it is known: a peer behind one line has one address. */
  readonly #peers: [{ address: string; port: number } | null, { address: string; port: number } | null] = [null, null];
  readonly #time: RealTime;

  private constructor(sockets: readonly [Socket, Socket], time: RealTime, seed: number) {
    this.#sockets = sockets;
    this.#time = time;
    this.lines = [new Line(time, seed), new Line(time, seed + 1000)];
    this.#listen(0, 1);
    this.#listen(1, 0);
  }

  static async start(time: RealTime, seed: number): Promise<PeerProxy> {
    return new PeerProxy([await bound(), await bound()], time, seed);
  }

  /** Where the first peer reaches the second, and the second the first. */
  get ports(): [number, number] {
    return [this.#sockets[0].address().port, this.#sockets[1].address().port];
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #listen(from: 0 | 1, to: 0 | 1): void {
    this.#sockets[from].on('message', (datagram, { address, port }) => {
      this.#peers[from] ??= { address, port };
      this.#time.catchUp();
      this.lines[from].up.send(datagram, (bytes) =>
        this.lines[to].down.send(bytes, (arrived) => {
          const peer = this.#peers[to];
          if (peer) this.#sockets[to].send(arrived, peer.port, peer.address);
        }),
      );
      this.#time.arm();
    });
  }
}
