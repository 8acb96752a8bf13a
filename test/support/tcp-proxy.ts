/** A TCP proxy in front of a server on this machine: what goes through it can be cut, refused, held up, or led elsewhere. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly port: number;
  /** The TCP port that new connections are passed on to. */
  target: number;
  /** Whether new connections are closed at once. */
  refuse = false;
  readonly #server: Server;
  /** Whose bytes go where. */
  readonly #sockets = new Map<Socket, Socket>();
  #held = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => {
      if (this.refuse) return client.resetAndDestroy();
      const upstream = connect(this.target, '127.0.0.1');
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.set(from, to);
        if (!this.#held) from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  /** @param target the TCP port to pass connections on to */
  static async start(target: number): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  /** Ends all connections without a farewell. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
  }

  /** From now on nothing arrives any more, either way, and nobody is told, as on a line that drops every packet. */
  hold(): void {
    this.#held = true;
    for (const [from, to] of this.#sockets) {
      from.unpipe(to);
      from.pause();
    }
  }

  /** What was held up goes on. */
  release(): void {
    this.#held = false;
    for (const [from, to] of this.#sockets) from.pipe(to);
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
