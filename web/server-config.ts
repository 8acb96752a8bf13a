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
  const { wsPort, iceServers }: { wsPort: number; iceServers: RTCIceServer[] } = await response.json();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return { url: `${scheme}://${location.hostname}:${wsPort}/`, iceServers };
}
