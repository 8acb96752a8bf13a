/** What users cost a node, from measured figures (docs/performance.md). */

/** What each user of a room sends to each other. */
export interface Traffic {
  /** RTP packets and data messages a second. */
  packetsPerSecond: number;
  bitsPerSecond: number;
}

/** A voice at 50 packets a second and 32 kbit/s, and 15 data messages: a networked-aframe user without a camera. */
export const VOICE: Traffic = { packetsPerSecond: 65, bitsPerSecond: 75_000 };
/** The same with a camera of 500 kbit/s. */
export const CAMERA: Traffic = { packetsPerSecond: 125, bitsPerSecond: 590_000 };

/** CPU of one packet that is sent to one subscriber, microseconds (the case of ten users who hear each other). */
export const MICROSECONDS_PER_PACKET = 20;

/** Cores that a room of `users` keeps busy: everybody hears all others. */
export function coresOf(users: number, traffic: Traffic): number {
  return (users * (users - 1) * traffic.packetsPerSecond * MICROSECONDS_PER_PACKET) / 1e6;
}

/** Bits a second that a room of `users` makes a node send. */
export function bitsSentBy(users: number, traffic: Traffic): number {
  return users * (users - 1) * traffic.bitsPerSecond;
}
