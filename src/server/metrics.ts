import type { Config } from '../config/schema.js';
import type { HttpListener } from '../http/listener.js';
import { metricsHandler } from '../http/metrics.js';
import { Exposition } from '../observability/exposition.js';
import type { Log } from '../observability/log.js';
import { type MeasuredParts, readFigures } from './figures.js';

/** Serves what of the running server there is to measure, at `/metrics`. */
export function composeMetrics(config: Config, listener: HttpListener, parts: MeasuredParts, log: Log): void {
  if (!config.METRICS) return;
  const exposition = new Exposition(() => readFigures(parts));
  const failed = (error: unknown) => log('error', 'the metrics can not be read', { error: String(error) });
  listener.mount('/metrics', metricsHandler(exposition, config.METRICS_TOKEN, failed));
}
