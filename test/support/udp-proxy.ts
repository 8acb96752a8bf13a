/** A UDP proxy between peers and one server port, which can lose datagrams as a network does. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** RTP and RTCP first bytes (RFC 7983 7); what SRTP leaves readable is the header. */
export function isMedia(datagram: Buffer): boolean {
  const first = datagram[0] ?? 0;
  return first >= 128 && first <= 191;
}

export class UdpProxy {
  /** Says which datagrams are lost. */
  lose: (datagram: Buffer, towards: 'server' | 'client') => boolean = () => false;
  readonly #front: Socket;
  readonly #backs = new Map<string, Socket>();
  #serverPort = 0;

  private constructor(front: Socket) {
    this.#front = front;
    front.on('message', (datagram, from) => {
      if (this.#serverPort === 0 || this.lose(datagram, 'server')) return;
      this.#back(from.address, from.port).send(datagram, this.#serverPort, '127.0.0.1');
    });
  }

  static async start(): Promise<UdpProxy> {
    const front = createSocket('udp4');
    front.bind(0, '127.0.0.1');
    await once(front, 'listening');
    return new UdpProxy(front);
  }

  /** A server's candidate with the proxy's port for its own; remembers the latter. */
  readonly via = (candidate: string): string => {
    const fields = candidate.split(' ');
    this.#serverPort = Number(fields[5]);
    fields[5] = String(this.#front.address().port);
    return fields.join(' ');
  };

  close(): void {
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #back(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    const known = this.#backs.get(key);
    if (known) return known;
    const back = createSocket('udp4');
    back.on('message', (datagram) => {
      if (!this.lose(datagram, 'client')) this.#front.send(datagram, port, address);
    });
    this.#backs.set(key, back);
    return back;
  }
}
