/** Receivers that cost nothing, and what the workers sent them by their own counters. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readExposition, sampleOf } from '../test/support/exposition.js';
import { endWithUs } from './children.js';
import type { SinkCommand, SinkReply } from './fan-out-sink.js';

/** What a worker has done: packets since its start, and the share of its time that its loop works. */
export interface WorkerFigures {
  sent: number;
  /** Packets for which the other worker's ring had no room. */
  ringFull: number;
  busy: number;
}

export async function readWorkers(httpUrl: string, workers: number): Promise<WorkerFigures[]> {
  const families = readExposition(await (await fetch(`${httpUrl}/metrics`)).text());
  return Array.from({ length: workers }, (_, shard) => {
    const read = (name: string) => sampleOf(families, `janus_sfu_shard_${name}`, { shard: String(shard) });
    return {
      sent: read('packets_sent_total'),
      ringFull: read('video_packets_ring_full_total') + read('audio_packets_ring_full_total'),
      busy: read('loop_busy_ratio'),
    };
  });
}

/** Connects the subscribers, in a process of their own that is to be stopped (SIGSTOP) before they are sent much. */
export async function connectSink(command: SinkCommand): Promise<ChildProcess> {
  const sink = fork(fileURLToPath(new URL('./fan-out-sink.js', import.meta.url)));
  endWithUs(sink);
  sink.send(command);
  const [reply] = (await once(sink, 'message')) as [SinkReply];
  if ('error' in reply) throw new Error(`the subscribers: ${reply.error}`);
  return sink;
}
