/** Asks the Admin API as an operator would, over HTTP or a WebSocket. */
import { once } from 'node:events';
import { JanusClient } from './janus-client.js';
import type { RunningServer } from './server.js';

export type Reply = Record<string, unknown> & { janus: string; error?: { code: number; reason: string } };

/** Asks, with the secret unless the fields have another. Ids among the fields address a session or handle. */
export type Ask = (fields: Record<string, unknown>) => Promise<Reply>;

export const ADMIN_SECRET = 'the operator’s secret';

function urlOf(url: string | null): string {
  if (url === null) throw new Error('the server was started without ADMIN_SECRET');
  return url;
}

/** Over HTTP, the ids in the path. */
export function adminOverHttp(server: RunningServer): Ask {
  const base = urlOf(server.adminUrl);
  return async ({ session_id: session, handle_id: handle, ...fields }) => {
    const path = [session, handle].filter((id) => id !== undefined).map((id) => `/${id}`);
    const body = JSON.stringify({ transaction: 'over HTTP', admin_secret: ADMIN_SECRET, ...fields });
    const response = await fetch(base + path.join(''), { method: 'POST', body });
    return (await response.json()) as Reply;
  };
}

/** Over a WebSocket, the ids in the message. */
export async function adminOverWebSocket(server: RunningServer): Promise<{ ask: Ask; client: JanusClient }> {
  const client = await JanusClient.connect(urlOf(server.adminWsUrl), 'janus-admin-protocol');
  const ask: Ask = async (fields) => (await client.request({ admin_secret: ADMIN_SECRET, ...fields })) as Reply;
  return { ask, client };
}

/** Waits until the server has written something that matches: its outputs and its replies come by different ways. */
export async function logged(server: RunningServer, pattern: RegExp): Promise<void> {
  const { stderr } = server.process;
  const signal = AbortSignal.timeout(5000);
  while (!pattern.test(server.output())) {
    if (!stderr || signal.aborted) throw new Error(`${pattern} is not in the log:\n${server.output()}`);
    await once(stderr, 'data', { signal }).catch(() => {});
  }
}
