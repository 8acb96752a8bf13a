import { describeError, NoUdp, Publisher, Session, SignallingUnreachable } from '../src/client/index.js';
import { readPath } from './media-stats.js';
import type { ServerConfig } from './server-config.js';

/** What one step of the examination found. */
export interface Finding {
  step: string;
  /** `minor`: works, but not all that could. */
  verdict: 'well' | 'minor' | 'ill';
  /** What was found and, unless it is well, what to do about it. */
  words: string;
}

const well = (step: string, words: string): Finding => ({ step, verdict: 'well', words });
const ill = (step: string, words: string): Finding => ({ step, verdict: 'ill', words });

function devices(): Finding {
  const step = 'Camera, microphone and screen';
  if (navigator.mediaDevices) return well(step, 'This page may ask for them.');
  const words = 'The browser gives them only to pages on https:// or http://localhost. Watching and chatting work.';
  return { step, verdict: 'minor', words };
}

const milliseconds = (seconds: number) => `${Math.max(1, Math.round(seconds * 1000))} ms`;

/**
 * Looks at the way from this browser to the server, step by step, with a session and a PeerConnection of its own that
 * join no room. Ends at the first step that keeps the next ones from working.
 */
export async function* examine(known: Promise<ServerConfig>): AsyncGenerator<Finding, void> {
  yield devices();
  let config: ServerConfig;
  try {
    config = await known;
  } catch (error) {
    yield ill('Page server', describeError(error));
    return;
  }
  yield well('Page server', `It answers, and names ${config.url} for signalling.`);
  const started = performance.now();
  let session: Session;
  try {
    session = await Session.open(config.url, { reconnect: false });
  } catch (error) {
    const unreachable = error instanceof SignallingUnreachable;
    yield ill(unreachable ? 'Signalling (WebSocket)' : 'Session', describeError(error));
    return;
  }
  try {
    yield well('Signalling (WebSocket)', `It is open after ${milliseconds((performance.now() - started) / 1000)}.`);
    yield* examineSession(session, config);
  } finally {
    session.close();
  }
}

async function* examineSession(session: Session, config: ServerConfig): AsyncGenerator<Finding, void> {
  const asked = performance.now();
  let publisher: Publisher;
  try {
    const handle = await session.attach();
    yield well('Session', `The server answers within ${milliseconds((performance.now() - asked) / 1000)}.`);
    publisher = new Publisher(handle, config);
  } catch (error) {
    yield ill('Session', describeError(error));
    return;
  }
  try {
    yield* examinePath(publisher);
  } finally {
    publisher.close();
  }
}

async function* examinePath(publisher: Publisher): AsyncGenerator<Finding, void> {
  const step = 'Media path (UDP)';
  const lost = publisher.lost.then((error) => Promise.reject(error));
  try {
    await Promise.race([publisher.negotiated().then(() => publisher.connected()), lost]);
  } catch (error) {
    const firewall =
      'Ask whoever runs the server whether its firewall or router lets UDP through to that port, and whether PUBLIC_IP is ' +
      'the address that you reach it by. Some company networks allow no UDP at all: try another network.';
    yield ill(step, `${describeError(error)}${error instanceof NoUdp ? ` ${firewall}` : ''}`);
    return;
  }
  yield well(step, 'Packets get through both ways, and are encrypted (DTLS).');
  const path = await readPath(publisher.pc);
  if (!path) return;
  const time = path.roundTrip === null ? '' : `, round trip ${milliseconds(path.roundTrip)}`;
  const words = `${path.local} ↔ ${path.remote}${time}.`;
  if (path.local.startsWith('relay')) {
    const detour =
      'Packets take a detour over a TURN server, as the direct way is closed: that works, and takes longer.';
    yield { step: 'Path taken', verdict: 'minor', words: `${words} ${detour}` };
  } else yield well('Path taken', words);
}
