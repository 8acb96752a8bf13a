/** A small Janus client over HTTP, for tests that look at single answers. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { ClientHandle, Received } from './janus-client.js';

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** As it came. */
  text: string;
}

export class RestClient {
  /** With the path of the API. */
  readonly base: string;
  readonly #agent = new Agent({ keepAlive: true });
  #transactions = 0;

  /** @param base `http://127.0.0.1:8088/janus` */
  constructor(base: string) {
    this.base = base;
  }

  /** Any request, answered in whatever way. */
  async ask(
    method: string,
    path: string,
    options: { body?: string | Buffer; headers?: OutgoingHttpHeaders; signal?: AbortSignal; agent?: Agent } = {},
  ): Promise<HttpAnswer> {
    const { body, headers = {}, signal, agent = this.#agent } = options;
    const sent = request(this.base + path, { method, agent, headers, ...(signal && { signal }) });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  /** A request under a transaction of its own, and its reply. */
  async post(path: string, message: Record<string, unknown>): Promise<Received> {
    this.#transactions += 1;
    const body = JSON.stringify({ transaction: `h${this.#transactions}`, ...message });
    const { status, text } = await this.ask('POST', path, { body, headers: { 'Content-Type': 'application/json' } });
    if (status !== 200) throw new Error(`POST ${path} was answered with ${status}: ${text}`);
    return JSON.parse(text);
  }

  /** A long poll for one event. */
  async event(session: number): Promise<Received> {
    const { status, text } = await this.ask('GET', `/${session}`);
    if (status !== 200) throw new Error(`the long poll was answered with ${status}`);
    return JSON.parse(text);
  }

  /** A long poll for several events. */
  async events(session: number, max = 10): Promise<Received[]> {
    const { status, text } = await this.ask('GET', `/${session}?maxev=${max}`);
    if (status !== 200) throw new Error(`the long poll was answered with ${status}`);
    return JSON.parse(text);
  }

  async create(): Promise<number> {
    const reply = await this.post('', { janus: 'create' });
    if (!reply.data) throw new Error(`create failed: ${JSON.stringify(reply)}`);
    return reply.data.id;
  }

  async attach(session: number): Promise<ClientHandle> {
    const reply = await this.post(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.sfu' });
    if (!reply.data) throw new Error(`attach failed: ${JSON.stringify(reply)}`);
    return { session, id: reply.data.id };
  }

  toHandle({ session, id }: ClientHandle, fields: Record<string, unknown>): Promise<Received> {
    return this.post(`/${session}/${id}`, fields);
  }

  /** A new session with a handle that has joined; its event is taken. */
  async join(room: string, user: string): Promise<ClientHandle> {
    const handle = await this.attach(await this.create());
    const subscribe = { notifications: true, data: true };
    await this.toHandle(handle, { janus: 'message', body: { kind: 'join', room_id: room, user_id: user, subscribe } });
    const event = await this.event(handle.session);
    if (event.plugindata?.data.success !== true) throw new Error(`join failed: ${JSON.stringify(event)}`);
    return handle;
  }

  /** Closes the connections that it keeps. */
  close(): void {
    this.#agent.destroy();
  }
}
