/**
 * Listening sockets that whoever starts the server holds open for it, as systemd does for a `.socket` unit (sd_listen_fds(3)):
 * clients that come while the server is being started again wait in them, and are not turned away.
 */
const FIRST_DESCRIPTOR = 3;
const NUMBER = /^\d{1,4}$/;

/** File descriptors, each null where none is held. */
export interface HeldSockets {
  ws: number | null;
  http: number | null;
}

/**
 * @param env LISTEN_FDS says how many there are, the WebSocket port's first, then the page's; LISTEN_PID, for whom
 * @param pid of this process
 */
export function heldSockets(env: Readonly<Record<string, string | undefined>>, pid: number): HeldSockets {
  const { LISTEN_FDS = '', LISTEN_PID } = env;
  const count = NUMBER.test(LISTEN_FDS) && LISTEN_PID === String(pid) ? Number(LISTEN_FDS) : 0;
  return { ws: count > 0 ? FIRST_DESCRIPTOR : null, http: count > 1 ? FIRST_DESCRIPTOR + 1 : null };
}
