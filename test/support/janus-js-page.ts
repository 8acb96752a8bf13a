import { createReadStream } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { projectRoot } from './project.js';

/** The package as npm delivers it, and the page that uses it. */
const FILES: Readonly<Record<string, { file: string; type: string } | { text: string; type: string }>> = {
  '/': { file: 'test/interop/janus-js/page.html', type: 'text/html' },
  '/client.js': { file: 'test/interop/janus-js/client.js', type: 'text/javascript' },
  '/janus.es.js': { file: 'node_modules/janus-gateway/npm/dist/janus.es.js', type: 'text/javascript' },
  '/adapter.js': { file: 'node_modules/webrtc-adapter/out/adapter.js', type: 'text/javascript' },
  '/adapter-module.js': { text: 'export default window.adapter;', type: 'text/javascript' },
};

/** Serves a page with the unmodified janus.js, on a port of its own. */
export function serveJanusJs(): Promise<Server> {
  const server = createServer((request, response) => {
    const entry = FILES[request.url ?? ''];
    if (!entry) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', entry.type);
    if ('text' in entry) response.end(entry.text);
    else createReadStream(path.join(projectRoot, entry.file)).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
