import { TokenBucket } from './token-bucket.js';

export interface WebSocketAddressSettings {
  connectionsPerAddress: number;
  /** Requests a second, and at once, that all connections of one address may send. */
  addressRequestRate: number;
  addressRequestBurst: number;
}

interface Usage {
  readonly bucket: TokenBucket;
  connections: number;
}

/** What the WebSockets of each client address use together. Time is an argument, in milliseconds. */
export class WebSocketAddresses {
  readonly #settings: WebSocketAddressSettings;
  readonly #usage = new Map<string, Usage>();

  constructor(settings: WebSocketAddressSettings) {
    this.#settings = settings;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#usage.size;
  }

  mayConnect(address: string): boolean {
    return (this.#usage.get(address)?.connections ?? 0) < this.#settings.connectionsPerAddress;
  }

  /** @returns what its requests count against, those of its other connections too */
  connected(address: string, now: number): TokenBucket {
    const { addressRequestRate, addressRequestBurst } = this.#settings;
    const fresh = () => ({ bucket: new TokenBucket(addressRequestRate, addressRequestBurst, now), connections: 0 });
    const usage = this.#usage.get(address) ?? fresh();
    this.#usage.set(address, usage);
    usage.connections += 1;
    return usage.bucket;
  }

  disconnected(address: string, now: number): void {
    const usage = this.#usage.get(address);
    if (!usage) return;
    usage.connections -= 1;
    this.#forgetIfDone(address, usage, now);
  }

  /** Forgets addresses whose connections have gone and whose bucket is full again; to be called every now and then. */
  sweep(now: number): void {
    for (const [address, usage] of this.#usage) this.#forgetIfDone(address, usage, now);
  }

  /** Not before: else who has used up its rate would get a new one by connecting again. */
  #forgetIfDone(address: string, { bucket, connections }: Usage, now: number): void {
    if (connections <= 0 && bucket.isFull(now)) this.#usage.delete(address);
  }
}
