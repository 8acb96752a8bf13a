/** What the page must know of its server (`GET config.json`). */
export interface ServerConfig {
  /** The WebSocket's address, without room. */
  url: string;
  iceServers: RTCIceServer[];
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

/** Milliseconds until the call begins without an answer. */
const ICE_SERVERS_LIMIT = 3_000;

/**
 * The ICE servers for the bearer of a room's token, with credentials made now; those that are known already if the server
 * tells none.
 */
export async function iceServersFor(token: string | null, known: RTCIceServer[]): Promise<RTCIceServer[]> {
  const headers: HeadersInit = token === null ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch('ice-servers', { headers, signal: AbortSignal.timeout(ICE_SERVERS_LIMIT) });
    if (!response.ok) return known;
    const { iceServers }: { iceServers: RTCIceServer[] } = await response.json();
    return iceServers;
  } catch {
    return known;
  }
}
