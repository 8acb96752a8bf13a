import { flag, MAX, seconds, text, webhookSecret, webhookUrl, whole } from '../kinds.js';
import { setting } from '../setting.js';

export const OBSERVABILITY = {
  METRICS: setting(
    flag,
    'true',
    'serve `/metrics` on the page’s port, for Prometheus: to this machine alone unless there is a `METRICS_TOKEN`',
  ),
  METRICS_TOKEN: setting(text, null, 'whoever sends it as a bearer token gets the metrics, from anywhere', {
    secret: true,
  }),
  WEBHOOK_URL: setting(
    webhookUrl,
    null,
    'where to POST an event when somebody joins, leaves or is kicked, and when a room is empty or full',
  ),
  WEBHOOK_SECRET: setting(
    webhookSecret,
    null,
    'events are signed with it (HMAC-SHA256): any text, or `whsec_` and base64 as Standard Webhooks has it',
    { secret: true },
  ),
  WEBHOOK_QUEUE_MAX: setting(
    whole(1, MAX, 'events'),
    '1000',
    'events that wait for the receiver; with more the oldest are lost',
  ),
  WEBHOOK_TIMEOUT: setting(seconds(0.1, 60), '5', 'time that the receiver has to answer'),
};
