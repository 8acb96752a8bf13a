import { randomInt } from 'node:crypto';
import type { LocalTransport, MediaKind } from '../../workers/protocol.js';
import { announcedCandidates } from '../sdp/candidates.js';
import type { RemoteDescription } from '../sdp/parse.js';
import {
  type AnswerFrame,
  midOf,
  type PublisherPlan,
  planPublisher,
  type SdpSettings,
  writePublisherAnswer,
} from '../sdp/publisher.js';
import { planSubscriber, type SubscriberPlan, type SubscriberSsrcs, writeSubscriberOffer } from '../sdp/subscriber.js';
import { candidateText } from '../sdp/write.js';
import type { LocalJsep, SfuHandle, Trickle } from './handle.js';

export interface DescriptionSettings {
  sdp: SdpSettings;
  /** Addresses announced in place of the machine's own. */
  publicIps: string[];
  /** The machine's own addresses that may be announced; null = all of them. */
  ownIps?: readonly string[] | null;
  /** Tell our candidates in `trickle` events and not in the SDP (RFC 8838). */
  fullTrickle: boolean;
}

/** Plans and writes the descriptions of handles, each with the handle's session number and its next version. */
export class Descriptions {
  readonly #settings: DescriptionSettings;

  constructor(settings: DescriptionSettings) {
    this.#settings = settings;
  }

  planPublisher(offer: RemoteDescription): PublisherPlan {
    return planPublisher(offer, this.#settings.sdp);
  }

  /** By what the publisher's last offer said; defaults if it has made none. */
  planSubscriber(source: SfuHandle, ssrcs: SubscriberSsrcs, rtx: boolean): SubscriberPlan {
    return planSubscriber(source.lastPlan, ssrcs, { rtx }, this.#settings.sdp);
  }

  answer(handle: SfuHandle, plan: PublisherPlan, local: LocalTransport): LocalJsep {
    const frame = this.#frame(handle, local);
    return {
      type: 'answer',
      sdp: writePublisherAnswer(plan, local, frame),
      ...this.#trickle(handle, plan, local, frame),
    };
  }

  offer(handle: SfuHandle, plan: SubscriberPlan, local: LocalTransport): LocalJsep {
    const frame = this.#frame(handle, local);
    return {
      type: 'offer',
      sdp: writeSubscriberOffer(plan, local, frame),
      ...this.#trickle(handle, plan, local, frame),
    };
  }

  #frame(handle: SfuHandle, local: LocalTransport): AnswerFrame {
    handle.sdpVersion += 1;
    const { publicIps, ownIps, fullTrickle } = this.#settings;
    const { loopback, sdpSession } = handle.client;
    const candidates = announcedCandidates(local.candidates, { publicIps, ownIps: ownIps ?? null, loopback });
    const address = candidates[0]?.address ?? '127.0.0.1';
    return { sessionId: sdpSession, version: handle.sdpVersion, candidates, trickled: fullTrickle, address };
  }

  /** Once for each ICE session: after a restart the candidates are told again (RFC 8838 section 13). */
  #trickle(
    handle: SfuHandle,
    plan: PublisherPlan | SubscriberPlan,
    local: LocalTransport,
    frame: AnswerFrame,
  ): { trickle?: Trickle } {
    if (!frame.trickled || handle.trickled === local.iceUfrag) return {};
    handle.trickled = local.iceUfrag;
    return { trickle: { mid: plan.lines[0]?.mid ?? '', candidates: frame.candidates.map(candidateText) } };
  }
}

/** The mid of a peer's audio or video line; its kind if the line is not there any more. */
export function midIn(peer: NonNullable<SfuHandle['peer']>, kind: MediaKind): string {
  if (peer.role === 'publisher') return midOf(peer.plan, kind) ?? kind;
  return peer.plan.lines.find((line) => line.kind === kind)?.mid ?? kind;
}

/** Three different random numbers (RFC 3550 8.1); 0 is avoided, some stacks take it for "none". */
export function newSsrcs(): SubscriberSsrcs {
  const drawn = new Set<number>();
  while (drawn.size < 3) drawn.add(randomInt(1, 2 ** 32));
  const [audio = 1, video = 2, videoRtx = 3] = drawn;
  return { audio, video, videoRtx };
}
