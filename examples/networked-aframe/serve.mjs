// Serves this folder's scene, and the three libraries that it needs out of node_modules: `node examples/networked-aframe/serve.mjs`.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const FILES = {
  '/': ['text/html; charset=utf-8', 'index.html'],
  '/scene.js': ['text/javascript; charset=utf-8', 'scene.js'],
  '/aframe.js': ['text/javascript; charset=utf-8', '../../node_modules/aframe/dist/aframe-master.min.js'],
  '/networked-aframe.js': [
    'text/javascript; charset=utf-8',
    '../../node_modules/networked-aframe/dist/networked-aframe.min.js',
  ],
  '/naf-janus-adapter.js': [
    'text/javascript; charset=utf-8',
    '../../node_modules/naf-janus-adapter/dist/naf-janus-adapter.min.js',
  ],
};

const site = new Map();
try {
  for (const [path, [type, file]] of Object.entries(FILES)) {
    site.set(path, { type, content: readFileSync(fileURLToPath(new URL(file, import.meta.url))) });
  }
} catch (error) {
  console.error(`${error.path} is missing: run "npm ci" in the repository first.`);
  process.exit(1);
}

const server = createServer((request, response) => {
  const found = site.get(request.url.replace(/\?.*/, ''));
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  // networked-aframe asks with HEAD for the time, which Node answers in the header Date.
  response.writeHead(200, { 'Content-Type': found.type, 'Content-Length': found.content.length });
  response.end(request.method === 'HEAD' ? undefined : found.content);
});
server.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${error.port} is taken: set PORT to another.` : error.message);
  process.exit(1);
});
server.listen(Number(process.env.PORT ?? 8080), 'localhost');
await once(server, 'listening');
console.log(`Open http://localhost:${server.address().port}/ in two tabs; janus-sfu must run as well ("npm start").`);
