import os from 'node:os';
import {
  addresses,
  file,
  flag,
  host,
  iceUrls,
  list,
  networks,
  port,
  seconds,
  text,
  webSocketUrl,
  whole,
  word,
} from '../kinds.js';
import { setting } from '../setting.js';

const workers = String(Math.max(1, os.availableParallelism() - 1));

export const NETWORK = {
  BIND: setting(host, null, 'address that the WebSocket and page ports listen on', {
    aliases: ['HOST'],
    shown: 'all addresses',
  }),
  WS_PORT: setting(port, '8188', 'Janus API over WebSocket; 0 takes a free one, the start message says which'),
  HTTP_PORT: setting(
    port,
    '8088',
    'the page at `/`, the Janus API over HTTP at `/janus`, `/healthz` and `/readyz`; 0 takes a free one',
  ),
  TLS_CERT: setting(
    file,
    null,
    'file with the certificate and its chain (PEM): both ports then speak TLS only (`wss`, `https`); read again when it changes',
  ),
  TLS_KEY: setting(file, null, 'file with the private key of `TLS_CERT` (PEM, without a passphrase)'),
  SIGNALLING_URL: setting(
    webSocketUrl,
    null,
    'where the page finds the signalling WebSocket, if a proxy is in front: `wss://example.org/signalling`',
    { shown: '`WS_PORT` of the page’s host' },
  ),
  TRUSTED_PROXIES: setting(
    networks,
    '',
    'proxies in front, whose `X-Forwarded-For` says who a client is (for limits by address, and the log): addresses or networks, separated by commas',
  ),
  RTP_PORT: setting(
    { ...whole(1024, 65535), name: 'port' },
    '51610',
    'first UDP port for media; each worker takes the next one',
  ),
  SFU_WORKERS: setting(whole(1, 64), workers, 'media workers, 1 to 64', {
    aliases: ['EVENT_LOOPS'],
    shown: 'cores - 1, at least 1',
  }),
  WORKER_STALL_LIMIT: setting(
    seconds(0, 3600),
    '30',
    'for how long a media worker may stand still until the server ends with exit code 1, so that its supervisor starts it again; 0 = never',
  ),
  PLACEMENT: setting(
    word(['auto', 'spread', 'together']),
    'auto',
    '`auto`: a room on one worker where possible; `spread`: every handle on the next worker; `together`: all on the first',
  ),
  FAN_OUT: setting(
    word(['auto', 'spread', 'off']),
    'auto',
    '`auto`: other workers carry a publisher’s further subscribers when its own is near saturation; `spread`: every subscriber on the next worker; `off`: all on the publisher’s',
  ),
  WORKER_LOAD_MAX: setting(
    whole(10, 100, '%'),
    '75',
    'share of its time that a worker may work until new peers go to others',
  ),
  PUBLIC_IP: setting(
    addresses,
    '',
    'address(es) to announce instead of the machine’s own ones of their family (1:1 NAT), separated by commas',
  ),
  NETWORK_INTERFACE: setting(
    list,
    '',
    'interfaces (`eth0`), or beginnings of addresses (`10.1.`), whose addresses may be announced; separated by commas',
    { shown: 'all' },
  ),
  STUN_URLS: setting(iceUrls('stun'), '', 'STUN servers that clients are told, separated by commas'),
  TURN_URLS: setting(iceUrls('turn'), '', 'TURN servers that clients are told, separated by commas'),
  TURN_SECRET: setting(text, null, 'what the TURN servers share with this one (coturn: `static-auth-secret`)', {
    secret: true,
  }),
  TURN_TTL: setting(seconds(60, 604_800), '21600', 'for how long TURN credentials are valid'),
  BATCH_SCHEDULING: setting(
    flag,
    'true',
    'run media workers as batch threads (Linux with `chrt`): less CPU per packet; set to false where other programs keep the same cores busy',
  ),
  WORKER_PINNING: setting(
    flag,
    'false',
    'keep each media worker and its native threads on one processor (Linux with `taskset`): less CPU per packet where the server has the machine to itself, and delays where it does not',
  ),
  ADDON_FOLDERS: setting(
    list,
    '',
    'folders to try first for the workers’ copies of the native addon, separated by commas; needed where the temporary folders are mounted noexec',
  ),
};
