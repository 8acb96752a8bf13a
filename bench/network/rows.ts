/** The lines that bench/network.ts measures, with the figures of issue 4 to compare with. */
import type { LineConditions } from '../../test/support/lossy-proxy.js';
import { bursty, type LinkConditions } from '../../test/support/network.js';

/** The window: what a viewer sees in it; or the first picture; or the publisher's rate; or a room of which one line is bad. */
export type Subject = 'window' | 'first frame' | 'rate' | 'room';

export interface Row {
  name: string;
  /** Whose line is bad. */
  leg: 'viewer' | 'publisher' | 'both';
  line: LineConditions;
  subject: Subject;
  viewers: number;
  /** Of the picture; the film's, 640x480, if it is left out. */
  size?: { width: number; height: number };
  /** As issue 4 has them of an earlier day: a Janus 0.14 with the Rust plugin, and two pages without a server. */
  reference: string;
  issueDirect: string;
}

const both = (conditions: LinkConditions): LineConditions => ({ up: conditions, down: conditions });

function row(name: string, leg: Row['leg'], line: LineConditions, reference = '', issueDirect = ''): Row {
  return { name, leg, line, subject: 'window', viewers: 1, reference, issueDirect };
}

export const ROWS: readonly Row[] = [
  row('clean', 'viewer', {}),
  row('viewer: 5 % loss', 'viewer', both({ loss: 0.05 }), '29 fps, 0.7-1.3 s frozen', '29 fps, none'),
  row('viewer: 10 % loss', 'viewer', both({ loss: 0.1 }), '19-22 fps, 5-8 s frozen', '28-30 fps, none'),
  row('viewer: 20 % loss', 'viewer', both({ loss: 0.2 }), '2-5 fps', '25-29 fps, under 1 s'),
  row('viewer: 5 % loss in bursts', 'viewer', both({ bursts: bursty(0.05) })),
  row('viewer: 5 % loss, RTT 100 ms', 'viewer', both({ loss: 0.05, delay: 50, jitter: 10 })),
  row('viewer: line of 1 Mbit/s', 'viewer', both({ rate: 1e6 }), '20 fps, 8 % concealed', '30 fps, 0 %'),
  row('viewer: line of 500 kbit/s', 'viewer', both({ rate: 5e5 }), '3-4 fps, 40 % concealed', '28 fps, 0 %'),
  row('publisher: 5 % loss', 'publisher', both({ loss: 0.05 })),
  row('publisher: 10 % loss', 'publisher', both({ loss: 0.1 })),
  row('publisher: line of 500 kbit/s', 'publisher', both({ rate: 5e5 })),
  row('both: 5 % loss', 'both', both({ loss: 0.05 })),
  { ...row('first frame, RTT 300 ms', 'viewer', both({ delay: 150 }), '1.6 s', '1.4 s'), subject: 'first frame' },
  { ...row('publisher’s rate after 8 s', 'viewer', {}, '0.95 Mbit/s', '1.7 Mbit/s'), subject: 'rate' },
  {
    ...row('room of ten (320x240), one on 200 kbit/s', 'viewer', both({ rate: 2e5 })),
    subject: 'room',
    viewers: 10,
    // One machine decodes all ten.
    size: { width: 320, height: 240 },
  },
];
