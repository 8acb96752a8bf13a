/** HTTP by hand: what a decent client would never send. */
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Sends bytes as they are, and returns all that comes back until the server closes the connection.
 *
 * @param nothingMore whether to say that these were all bytes, by a FIN
 */
export async function sendRaw(port: number, text: string | Buffer, nothingMore = false): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  // Cut while it writes: what came until then is the answer.
  socket.on('error', () => {});
  if (nothingMore) socket.end(text);
  else socket.write(text);
  await once(socket, 'close');
  return answer;
}
