/** Events of a session that nobody takes at the moment: its client polls over HTTP, or its WebSocket is gone for a while. */
export class Mailbox {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  #events: { event: object; bytes: number }[] = [];
  #bytes = 0;

  /** @param bytesMax of the events as JSON, in UTF-16 units */
  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#events.length;
  }

  /** @returns false if that would be more than it holds; the event is not taken then */
  push(event: object): boolean {
    const bytes = JSON.stringify(event).length;
    if (this.#events.length >= this.#eventsMax || this.#bytes + bytes > this.#bytesMax) return false;
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Takes out the oldest events, at most `max` of them. */
  take(max: number): object[] {
    const taken = this.#events.splice(0, max);
    for (const { bytes } of taken) this.#bytes -= bytes;
    return taken.map(({ event }) => event);
  }
}
