/**
 * When tracks and data channels open, found by looking at them.
 *
 * The addon has a callback for it, which can't be taken back: each one registered is a handle that the event loop looks at
 * whenever any native thread wakes it, so for every packet, as long as the peer lives.
 */
/** Milliseconds between two looks, while there is something to look at. */
const LOOK_INTERVAL = 5;

/** A track or a data channel of the addon. */
interface Opens {
  isOpen(): boolean;
}

const waiting = new Map<Opens, () => void>();
let timer: NodeJS.Timeout | null = null;

function look(): void {
  for (const [object, opened] of waiting) {
    if (!object.isOpen()) continue;
    waiting.delete(object);
    opened();
  }
  stopWhenIdle();
}

function stopWhenIdle(): void {
  if (waiting.size > 0 || !timer) return;
  clearInterval(timer);
  timer = null;
}

/**
 * Calls `opened` once, when the object is open; at once if it is.
 *
 * @param opened must not throw: a timer calls it, too
 */
export function whenOpen(object: Opens, opened: () => void): void {
  if (object.isOpen()) {
    opened();
    return;
  }
  waiting.set(object, opened);
  timer ??= setInterval(look, LOOK_INTERVAL);
}

/** The object will not open any more, or nobody wants to know. */
export function forgetOpening(object: Opens): void {
  waiting.delete(object);
  stopWhenIdle();
}
