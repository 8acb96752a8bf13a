/**
 * How long a subscriber should keep video before it shows it, so that packets that are lost and sent again come in time
 * (the playout-delay header extension). Pure. Only for lines that lose packets: all others show pictures at once.
 */

/** From the first share of losses on there is a delay, below the second there is none any more. */
const FROM = 0.03;
const UNTIL = 0.01;
/** So few pictures may still come too late. */
const TOO_LATE = 0.003;
/** Milliseconds after which browsers ask again for what did not come, whatever the round trip is. */
const ASKED_AGAIN = 110;
/** Milliseconds: for the packets after the lost one to show that it is missing. */
const NOTICED = 40;
const LEAST = 150;
const MOST = 500;
/** Milliseconds: smaller changes are not worth a jump of the picture. */
const STEP = 60;

/**
 * @param delay the present one, milliseconds; 0: none
 * @param lost the share of packets that the line loses, 0..1
 * @param roundTrip milliseconds, 0: unknown
 * @returns the delay from now on: 0, or 150..500 in steps of 10
 */
export function playoutDelay(delay: number, lost: number, roundTrip: number): number {
  if (lost < (delay > 0 ? UNTIL : FROM)) return 0;
  // One way lost and the way back: each request may miss, and so may each answer.
  const miss = Math.min(0.6, 1 - (1 - lost) ** 2);
  const requests = Math.max(1, Math.ceil(Math.log(TOO_LATE / lost) / Math.log(miss)));
  const needed = NOTICED + roundTrip + (requests - 1) * Math.max(ASKED_AGAIN, roundTrip);
  const wanted = Math.round(Math.min(MOST, Math.max(LEAST, needed)) / 10) * 10;
  return delay > 0 && Math.abs(wanted - delay) < STEP ? delay : wanted;
}
