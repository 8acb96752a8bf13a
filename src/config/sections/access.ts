import { flag, host, MAX, port, text, whole } from '../kinds.js';
import { setting } from '../setting.js';

export const ACCESS = {
  API_SECRET: setting(text, null, 'what requests must carry as `apisecret`', { secret: true }),
  TOKEN_AUTH: setting(flag, 'false', 'let requests in by their `token`'),
  TOKEN_AUTH_SECRET: setting(
    text,
    null,
    'tokens are signed with this (HMAC-SHA1); unset = they are added and removed through the Admin API',
    { secret: true },
  ),
  TOKENS_MAX: setting(whole(1, MAX), '10000', 'tokens that the Admin API may add'),
  ADMIN_SECRET: setting(text, null, 'what Admin requests must carry as `admin_secret`; unset = there is no Admin API', {
    secret: true,
  }),
  ADMIN_BIND: setting(host, '127.0.0.1', 'address that the Admin ports listen on'),
  ADMIN_PORT: setting(port, '7088', 'Admin API over HTTP, at `/admin`; 0 takes a free one'),
  ADMIN_WS_PORT: setting(
    port,
    '7188',
    'Admin API over WebSocket (subprotocol `janus-admin-protocol`); 0 takes a free one',
  ),
};
