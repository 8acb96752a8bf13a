/**
 * What the SDP work of one PeerConnection costs: in process, over the offers of real clients that the tests have. A publisher's
 * is reading its offer, planning and writing the answer; a subscriber's planning and writing the offer and reading the answer.
 */
import { planPublisher, writePublisherAnswer } from '../../src/sdp/publisher.js';
import { planSubscriber, readSubscriberAnswer, writeSubscriberOffer } from '../../src/sdp/subscriber.js';
import { clientOffers } from '../../test/support/sdp-corpus.js';
import { description, frame, local, settings } from '../../test/support/sdp-meaning.js';
import { readSdp, subscriberAnswer } from '../load/sdp.js';
import { median } from '../report/statistics.js';
import type { Answer, Question } from './question.js';

const WARM_UP_ROUNDS = 400;
const ROUNDS = 300;
const MOST_MS = 0.5;
const SSRCS = { audio: 1, video: 2, videoRtx: 3 };

/** Milliseconds of each of the rounds. */
function times(work: () => void): number[] {
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) work();
  return Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const results = Object.entries(clientOffers).map(([client, make]) => {
    const offer = make({ lines: ['audio', 'video', 'data'] });
    const plan = planPublisher(description(offer), settings);
    const ours = writeSubscriberOffer(planSubscriber(plan, SSRCS, { rtx: true }, settings), local, frame);
    const transport = { ...readSdp(ours).transport, setup: 'active' };
    const answer = subscriberAnswer(readSdp(ours), transport, 1);
    const publisher = times(() => writePublisherAnswer(planPublisher(description(offer), settings), local, frame));
    const subscriber = times(() => {
      const planned = planSubscriber(plan, SSRCS, { rtx: true }, settings);
      writeSubscriberOffer(planned, local, frame);
      const read = readSubscriberAnswer(description(answer), planned);
      if (!read.ok) throw new Error(`the answer to our own offer is refused: ${read.reason}`);
    });
    const result = { client, bytes: offer.length, publisher: median(publisher), subscriber: median(subscriber) };
    tell(`${client}: publisher ${result.publisher.toFixed(3)} ms, subscriber ${result.subscriber.toFixed(3)} ms`);
    return result;
  });
  const worst = (of: 'publisher' | 'subscriber') => Math.max(...results.map((result) => result[of]));
  return {
    figures: [
      { what: 'SDP of a publisher, dearest client', value: worst('publisher'), unit: 'ms', most: MOST_MS },
      { what: 'SDP of a subscriber, dearest client', value: worst('subscriber'), unit: 'ms', most: MOST_MS },
    ],
    data: { rounds: ROUNDS, results },
  };
}

export const sdp: Question = { name: 'sdp', summary: 'SDP work of a PeerConnection', seconds: 3, ask };
