import os from 'node:os';
import { addresses, flag, host, list, port, whole, word } from '../kinds.js';
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
  RTP_PORT: setting(
    { ...whole(1024, 65535), name: 'port' },
    '51610',
    'first UDP port for media; each worker takes the next one',
  ),
  SFU_WORKERS: setting(whole(1, 64), workers, 'media workers, 1 to 64', {
    aliases: ['EVENT_LOOPS'],
    shown: 'cores - 1, at least 1',
  }),
  PLACEMENT: setting(
    word(['auto', 'spread', 'together']),
    'auto',
    '`auto`: a room on one worker where possible; `spread`: every handle on the next worker; `together`: all on the first',
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
  BATCH_SCHEDULING: setting(
    flag,
    'true',
    'run media workers as batch threads (Linux with `chrt`): less CPU per packet; set to false where other programs keep the same cores busy',
  ),
  ADDON_FOLDERS: setting(
    list,
    '',
    'folders to try first for the workers’ copies of the native addon, separated by commas; needed where the temporary folders are mounted noexec',
  ),
};
