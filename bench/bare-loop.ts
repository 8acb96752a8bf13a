/**
 * The baseline of `bench:relay`: the least that a relay on node-datachannel can do. One process, one PeerConnection per
 * peer with one track, and each packet of a publisher goes unchanged to its subscribers. No rooms, no rewriting, no RTCP.
 *
 * A child process. Signalling is JSON over HTTP on a loopback port that it tells its parent:
 * `POST /publish {sdp}` → `{publisher, sdp}`; `POST /subscribe {publisher}` → `{subscriber, sdp}`;
 * `POST /answer {subscriber, sdp}` → `{}`. As in the real server the relay is the DTLS server of every connection, which
 * makes the SRTP profile AEAD_AES_256_GCM.
 */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup, PeerConnection, type Track, Video } from 'node-datachannel';

process.once('exit', cleanup);

interface Publisher {
  connection: PeerConnection;
  track: Track;
  subscribers: Track[];
}

const publishers: Publisher[] = [];
const subscribers: PeerConnection[] = [];

function newConnection(name: string): { connection: PeerConnection; track: Track } {
  const connection = new PeerConnection(name, {
    iceServers: [],
    bindAddress: '127.0.0.1',
    disableAutoNegotiation: true,
  });
  const video = new Video('0', 'SendRecv');
  video.addH264Codec(102);
  return { connection, track: connection.addTrack(video) };
}

async function described(connection: PeerConnection): Promise<string> {
  await new Promise<void>((resolve) => {
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') resolve();
    });
    if (connection.gatheringState() === 'complete') resolve();
  });
  return connection.localDescription()?.sdp ?? '';
}

async function publish(sdp: string): Promise<unknown> {
  const id = publishers.length;
  const { connection, track } = newConnection(`publisher-${id}`);
  const publisher: Publisher = { connection, track, subscribers: [] };
  publishers.push(publisher);
  track.onMessage((packet) => {
    for (const subscriber of publisher.subscribers) if (subscriber.isOpen()) subscriber.sendMessageBinary(packet);
  });
  // Told that the offerer is the DTLS client, libdatachannel is the server.
  connection.setRemoteDescription(sdp.replaceAll('a=setup:actpass', 'a=setup:active'), 'offer');
  connection.setLocalDescription('answer');
  return { publisher: id, sdp: await described(connection) };
}

async function subscribe(id: number): Promise<unknown> {
  const publisher = publishers[id];
  if (!publisher) throw new Error(`no publisher ${id}`);
  const { connection, track } = newConnection(`subscriber-${subscribers.length}`);
  subscribers.push(connection);
  publisher.subscribers.push(track);
  connection.setLocalDescription('offer');
  return { subscriber: subscribers.length - 1, sdp: await described(connection) };
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function handle(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request);
  switch (request.url) {
    case '/publish':
      return publish(String(body.sdp));
    case '/subscribe':
      return subscribe(Number(body.publisher));
    case '/answer':
      subscribers[Number(body.subscriber)]?.setRemoteDescription(String(body.sdp), 'answer');
      return {};
    default:
      throw new Error(`unknown path ${request.url}`);
  }
}

const server = createServer((request, response) => {
  handle(request).then(
    (reply) => response.end(JSON.stringify(reply)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

async function stop(): Promise<void> {
  const connections = [...publishers.map(({ connection }) => connection), ...subscribers];
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          connection.onStateChange((state) => {
            if (state === 'closed') resolve();
          });
          if (connection.state() === 'closed') resolve();
          connection.close();
        }),
    ),
  );
  server.closeAllConnections();
  server.close(() => process.exit(0));
}

process.once('disconnect', () => void stop());
