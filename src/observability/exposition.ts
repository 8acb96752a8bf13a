import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Figures } from './figures.js';
import type { Metric } from './metric.js';
import { METRICS } from './metrics/all.js';

/** Metrics of the process that prom-client has under names that break Prometheus' conventions, or in needless detail. */
const UNWANTED = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_heap_space_size_available_bytes',
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
];

/**
 * The metrics as text, for Prometheus to scrape. Figures are read at the scrape and at no other time: between two of them
 * it costs nothing.
 */
export class Exposition {
  readonly #registry = new Registry();
  readonly #read: () => Figures;
  #figures: Figures | null = null;
  #pending: Promise<string> | null = null;

  /**
   * @param read the figures at this moment
   * @param ofProcess whether to tell of the process too: memory, CPU, delay of the main thread's loop
   */
  constructor(read: () => Figures, ofProcess = true) {
    this.#read = read;
    for (const metric of METRICS) this.#register(metric);
    if (!ofProcess) return;
    collectDefaultMetrics({ register: this.#registry });
    for (const name of UNWANTED) this.#registry.removeSingleMetric(name);
  }

  /** What kind of text it is: its media type. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text. Who asks while another one waits for it gets the same one. */
  text(): Promise<string> {
    this.#pending ??= this.#write().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #write(): Promise<string> {
    this.#figures = this.#read();
    return this.#registry.metrics();
  }

  #register({ name, type, help, labels, read }: Metric): void {
    const samples = () => (this.#figures ? read(this.#figures) : []);
    const withLabels = (values: readonly string[]) =>
      Object.fromEntries(labels.map((label, index) => [label, values[index] ?? '']));
    const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'gauge') {
      new Gauge({
        ...common,
        collect() {
          this.reset();
          for (const [value, ...values] of samples()) this.set(withLabels(values), value);
        },
      });
      return;
    }
    // What we count is in our own hands: prom-client's counter is set to it.
    new Counter({
      ...common,
      collect() {
        this.reset();
        for (const [value, ...values] of samples()) this.inc(withLabels(values), value);
      },
    });
  }
}
