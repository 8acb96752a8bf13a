import type { Config } from '../config/schema.js';
import type { Log } from '../observability/log.js';
import { Deliveries } from '../webhooks/deliveries.js';
import { Receiver } from '../webhooks/receiver.js';
import { readSecret } from '../webhooks/signature.js';
import { nodeName } from './node-name.js';

/** Events for the operator's own service; null where there is none. */
export function composeWebhooks(config: Config, log: Log): Deliveries | null {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret } = config;
  if (url === undefined || secret === undefined) return null;
  const receiver = new Receiver({ url, key: readSecret(secret), timeout: config.WEBHOOK_TIMEOUT });
  const settings = {
    server: config.SERVER_NAME,
    node: nodeName(config) ?? undefined,
    queueMax: config.WEBHOOK_QUEUE_MAX,
  };
  return new Deliveries(settings, (event, signal) => receiver.post(event, signal), log);
}
