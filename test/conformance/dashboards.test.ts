/** What comes with the server for Prometheus and Grafana, held against a real scrape. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { ADMIN_SECRET } from '../support/admin-client.js';
import { type Family, readExposition } from '../support/exposition.js';
import { projectRoot } from '../support/project.js';
import { promtool, promtoolMissing } from '../support/promtool.js';
import { startServer } from '../support/server.js';

const RULES = 'deploy/prometheus/janus-sfu.rules.yaml';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

interface Panel {
  id: number;
  title: string;
  type: string;
  targets?: { expr: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
}

const dashboard = JSON.parse(read('deploy/grafana/janus-sfu.json')) as { panels: Panel[] };

/** The dashboard's queries, with values in place of Grafana's variables. */
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    where: title,
    expr: expr.replaceAll('$__rate_interval', '1m').replace(/\$(job|instance)/g, '.*'),
  })),
);

/** The alerts' expressions, which may go on over several lines. */
const alerts = [...read(RULES).matchAll(/alert: (\w+)\n +expr: (?:>-\n)?([\s\S]*?)\n +(?:for|labels):/g)].map(
  ([, where = '', expr = '']) => ({ where, expr: expr.replace(/\s+/g, ' ') }),
);

const PROMETHEUS_OWN = ['up'];

let families: Map<string, Family>;
before(async () => {
  const server = await startServer({ env: { ADMIN_SECRET } });
  families = readExposition(await (await fetch(`${server.httpUrl}/metrics`)).text());
  await server.stop();
});

/** Fails if a query asks for a metric, a label or a label's value that a scrape does not have. */
function checkQuery({ where, expr }: { where: string; expr: string }): void {
  const labels = new Set(['job', 'instance']);
  const selectors = [...expr.matchAll(/\b([a-z][a-z0-9_]*_[a-z0-9_]+|up)\b(\{[^}]*\})?/g)];
  const used = selectors.filter(([, name = '']) => families.has(name) || /^(janus_sfu|process|nodejs)_/.test(name));
  assert.ok(used.length > 0 || PROMETHEUS_OWN.some((name) => expr.includes(name)), `${where}: ${expr}`);
  for (const [, name = '', selector = ''] of used) {
    const family = families.get(name);
    assert.ok(family, `${where}: there is no ${name}`);
    for (const sample of family.samples) for (const label of Object.keys(sample.labels)) labels.add(label);
    for (const [, label = '', operator = '', value = ''] of selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
      if (label === 'job' || label === 'instance') continue;
      const values = family.samples.map((sample) => sample.labels[label]);
      for (const one of operator.endsWith('~') ? value.split('|') : [value]) {
        assert.ok(values.includes(one), `${where}: no ${name} has ${label}="${one}"`);
      }
    }
  }
  for (const [, by = ''] of expr.matchAll(/by \(([^)]*)\)/g)) {
    for (const label of by.split(/, */)) assert.ok(labels.has(label), `${where}: no label ${label}`);
  }
}

describe('the dashboard', () => {
  test('asks for metrics, labels and values that there are', () => {
    assert.ok(queries.length > 50);
    for (const query of queries) checkQuery(query);
  });

  test('shows every group of metrics, in panels that don’t overlap, under ids of their own', () => {
    const asked = queries.map(({ expr }) => expr).join();
    const groups = ['room', 'session', 'request', 'connection', 'shard', 'rtp', 'rtcp', 'webhook', 'rest', 'http'];
    for (const group of groups) assert.match(asked, new RegExp(`janus_sfu_\\w*${group}`));
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    const cells = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(!cells.has(`${x},${y}`), `${title} lies on another panel`);
          cells.add(`${x},${y}`);
        }
      }
    }
  });

  test('has queries that Prometheus understands', { skip: promtoolMissing() }, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-dashboard-'));
    try {
      const rules = queries.map(({ expr }, index) => ({ record: `query:number_${index}`, expr }));
      const file = path.join(folder, 'rules.json');
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
      const { code, output } = promtool(['check', 'rules', file]);
      assert.equal(code, 0, output);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the alerts', () => {
  test('ask for metrics, labels and values that there are', () => {
    assert.equal(alerts.length, read(RULES).match(/- alert:/g)?.length);
    for (const alert of alerts) checkQuery(alert);
  });

  test('are what promtool approves of, as the scrape is, and say what they should', { skip: promtoolMissing() }, () => {
    for (const args of [
      ['check', 'rules', RULES],
      ['check', 'config', 'deploy/prometheus/prometheus.yaml'],
      ['test', 'rules', 'test/conformance/alert-rules.yaml'],
    ]) {
      const { code, output } = promtool(args);
      assert.equal(code, 0, output);
    }
  });
});
