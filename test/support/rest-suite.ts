import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after } from 'node:test';
import { JanusClient } from './janus-client.js';
import { RestClient } from './rest-client.js';
import { usingServer } from './suite.js';

/** What a long poll is answered when nothing came. */
export const KEEPALIVE = { janus: 'keepalive' };

/** A server for the tests of one suite, and clients that are closed after the last of them. */
export function usingRest(env: Record<string, string>) {
  const clients: (RestClient | JanusClient)[] = [];
  // Before the server's own hook: it ends when nobody is connected.
  after(async () => {
    for (const client of clients) await client.close();
  });
  const suite = usingServer({ env });
  return {
    running: () => suite.server,
    port: () => Number(new URL(suite.server.httpUrl).port),
    rest: () => {
      const client = new RestClient(`${suite.server.httpUrl}/janus`);
      clients.push(client);
      return client;
    },
    ws: async () => {
      const client = await JanusClient.connect(suite.server.wsUrl);
      clients.push(client);
      return client;
    },
  };
}

/** Starts a long poll, and resolves when the server has it. */
export async function startPoll(
  client: RestClient,
  session: number,
  query = '',
): Promise<{ answer: Promise<unknown> }> {
  const sent = httpRequest(`${client.base}/${session}${query}`, { agent: false });
  const answer = once(sent, 'response').then(async ([response]) => {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return response.statusCode === 200 ? JSON.parse(text) : response.statusCode;
  });
  sent.end();
  const [socket] = await once(sent, 'socket');
  if (socket.connecting) await once(socket, 'connect');
  // The server accepts the connection before it answers the first of these, and reads it before the second.
  for (let pings = 0; pings < 2; pings += 1) await client.ask('GET', '/ping');
  return { answer };
}
