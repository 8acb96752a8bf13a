/** What the page must know of its server (`GET config.json`). */
export interface ServerConfig {
  /** The WebSocket's address, without room. */
  url: string;
  iceServers: RTCIceServer[];
}

/** Where a call goes, and by which ICE servers. */
export interface CallServer {
  url: string;
  iceServers: () => Promise<RTCIceServer[]>;
}

/** @throws Error with words for the user if the page's server doesn't answer */
export async function loadConfig(location: Location): Promise<ServerConfig> {
  const response = await fetch('config.json').catch(() => null);
  if (!response?.ok)
    throw new Error('The page can not reach its server any more. Is it still running? Reload when it is.');
  const { wsPort, wsUrl, iceServers }: { wsPort: number; wsUrl?: string; iceServers: RTCIceServer[] } =
    await response.json();
  if (wsUrl !== undefined) return { url: wsUrl, iceServers };
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return { url: `${scheme}://${location.hostname}:${wsPort}/`, iceServers };
}

/** As `iceServersFor`, asked again when half of the credentials' time is over: a stay may be longer than they last. */
export function freshIceServers(token: string | null, known: RTCIceServer[]): () => Promise<RTCIceServer[]> {
  let latest: { servers: Promise<IceServers>; askedAt: number } | null = null;
  return async () => {
    const now = performance.now();
    if (!latest || now - latest.askedAt > ((await latest.servers).ttl * 1000) / 2) {
      latest = { servers: askForIceServers(token, known), askedAt: now };
    }
    return (await latest.servers).iceServers;
  };
}

/** The answer of `GET /ice-servers`; `ttl` in seconds. */
interface IceServers {
  iceServers: RTCIceServer[];
  ttl: number;
}

/** After how long a server that told none is asked again. */
const RETRY_SECONDS = 60;
/** Milliseconds until the call begins without an answer. */
const ICE_SERVERS_LIMIT = 3_000;

/**
 * The ICE servers for the bearer of a room's token, with credentials made now; those that are known already if the server
 * tells none.
 */
export async function iceServersFor(token: string | null, known: RTCIceServer[]): Promise<RTCIceServer[]> {
  return (await askForIceServers(token, known)).iceServers;
}

async function askForIceServers(token: string | null, known: RTCIceServer[]): Promise<IceServers> {
  const headers: HeadersInit = token === null ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch('ice-servers', { headers, signal: AbortSignal.timeout(ICE_SERVERS_LIMIT) });
    if (response.ok) return await response.json();
  } catch {
    // As if there were no answer.
  }
  return { iceServers: known, ttl: RETRY_SECONDS };
}
