// The container's health check: asks the server in it for /healthz. Exit code 0: it answers.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

const { HTTP_PORT: port = '8088', BIND = '', HOST = '', TLS_CERT = '' } = process.env;
const bind = BIND || HOST;
const host = bind === '' || bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind;
const get = TLS_CERT === '' ? getPlain : getSecure;
// The certificate is for a name, and this is about the process.
const request = get({ host, port, path: '/healthz', rejectUnauthorized: false, timeout: 4000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy(new Error('no answer')));
request.on('error', ({ message }) => {
  console.error(message);
  process.exit(1);
});
