/** deploy/cluster/ and what docs/cluster.md says of it: read strictly, and held against the settings that there are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { SETTINGS, variables } from '../../src/config/schema.js';
import { projectRoot } from '../support/project.js';
import { readYaml, type Yaml } from '../support/yaml.js';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');
const PORTS = {
  ws: SETTINGS.WS_PORT.fallback,
  http: SETTINGS.HTTP_PORT.fallback,
  node: SETTINGS.CLUSTER_PORT.fallback,
};
/** Seconds beside DRAIN_TIMEOUT that the server needs for its goodbye. */
const GOODBYE = 10;

type Tree = { [key: string]: Yaml };

function tree(value: Yaml | undefined, what: string): Tree {
  assert.ok(value !== null && typeof value === 'object' && !Array.isArray(value), what);
  return value;
}

function list(value: Yaml | undefined, what: string): Tree[] {
  assert.ok(Array.isArray(value), what);
  return value.map((one) => tree(one, what));
}

/** Every key of a tree and of what is in it must be one of those that Kubernetes' API (apps/v1, core/v1) has there. */
function onlyKeys(value: Tree, allowed: string, where: string): void {
  for (const key of Object.keys(value)) assert.ok(allowed.split(' ').includes(key), `${where} has no ${key}`);
}

describe('deploy/cluster', () => {
  test('compose.yaml has the settings that there are, and is else as the one for a server that is alone', () => {
    const sfu = (file: string) => {
      const services = tree(tree(readYaml(read(file)), file).services, 'services');
      return tree(services.sfu, 'sfu');
    };
    const { environment: ours, ...rest } = sfu('deploy/cluster/compose.yaml');
    const { environment: _theirs, ...alone } = sfu('deploy/docker/compose.yaml');
    assert.deepEqual(rest, alone);
    const environment = tree(ours, 'environment');
    for (const name of Object.keys(environment)) assert.ok(Object.hasOwn(SETTINGS, name), name);
    assert.ok(Number.parseInt(String(rest.stop_grace_period), 10) >= Number(environment.DRAIN_TIMEOUT) + GOODBYE);
  });

  test('kubernetes.yaml is a DaemonSet of the API’s shape with settings, ports and volumes that there are', () => {
    const set = tree(readYaml(read('deploy/cluster/kubernetes.yaml')), 'the file');
    assert.deepEqual([set.apiVersion, set.kind], ['apps/v1', 'DaemonSet']);
    onlyKeys(set, 'apiVersion kind metadata spec', 'the DaemonSet');
    const spec = tree(set.spec, 'spec');
    onlyKeys(spec, 'selector updateStrategy template minReadySeconds', 'its spec');
    const template = tree(spec.template, 'template');
    const labels = tree(tree(template.metadata, 'metadata').labels, 'labels');
    assert.deepEqual(tree(spec.selector, 'selector').matchLabels, labels);
    const pod = tree(template.spec, 'the pod');
    const ofPods =
      'hostNetwork dnsPolicy nodeSelector terminationGracePeriodSeconds securityContext containers volumes';
    onlyKeys(pod, ofPods, 'the pod');
    assert.deepEqual([pod.hostNetwork, pod.dnsPolicy], ['true', 'ClusterFirstWithHostNet']);
    const [container = {}] = list(pod.containers, 'containers');
    const ofContainers =
      'name image envFrom env ports readinessProbe livenessProbe resources securityContext volumeMounts';
    onlyKeys(container, ofContainers, 'the container');
    const env = list(container.env, 'env');
    for (const one of env) {
      onlyKeys(one, 'name value valueFrom', 'a variable');
      assert.ok(Object.hasOwn(SETTINGS, String(one.name)), String(one.name));
      if (one.valueFrom === undefined) continue;
      const { fieldPath } = tree(tree(one.valueFrom, 'valueFrom').fieldRef, 'fieldRef');
      assert.ok(['status.hostIP', 'spec.nodeName'].includes(String(fieldPath)), String(fieldPath));
    }
    const drain = Number(env.find(({ name }) => name === 'DRAIN_TIMEOUT')?.value);
    assert.ok(Number(pod.terminationGracePeriodSeconds) >= drain + GOODBYE);
    assert.deepEqual(
      list(container.ports, 'ports').map(({ containerPort }) => containerPort),
      [PORTS.ws, PORTS.http, PORTS.node],
    );
    for (const [name, file] of Object.entries({ readinessProbe: '/readyz', livenessProbe: '/healthz' })) {
      const probe = tree(container[name], name);
      onlyKeys(probe, 'httpGet periodSeconds failureThreshold', name);
      assert.deepEqual(probe.httpGet, { path: file, port: PORTS.http });
    }
    const mounts = list(container.volumeMounts, 'volumeMounts').map(({ name }) => name);
    assert.deepEqual(
      mounts,
      list(pod.volumes, 'volumes').map(({ name }) => name),
    );
  });

  test('has balancers that know all three nodes, and hash the room', () => {
    const files = {
      'nginx.conf': /hash \$sfu_key consistent/g,
      Caddyfile: /lb_policy header X-Sfu-Room/g,
      'haproxy.cfg': /balance url_param room\n {2}hash-type consistent/g,
      'envoy.yaml': /hash_policy: \[\{ query_parameter: \{ name: room \} \}\]/g,
    };
    for (const [file, hash] of Object.entries(files)) {
      const text = read(`deploy/cluster/${file}`);
      assert.ok((text.match(hash) ?? []).length >= (file === 'Caddyfile' ? 1 : 2), `${file} hashes the room`);
      for (const last of ['11', '12', '13']) {
        for (const port of [PORTS.ws, PORTS.http]) {
          const found = text.includes(`10.0.0.${last}:${port}`) || text.includes(`10.0.0.${last}, port_value: ${port}`);
          assert.ok(found, `${file} knows 10.0.0.${last}:${port}`);
        }
      }
      assert.match(text, /CLUSTER_PLACEMENT=arrival and TRUSTED_PROXIES/, `${file} says what the nodes need`);
    }
  });
});

test('docs/cluster.md names files and settings that there are', () => {
  const page = read('docs/cluster.md');
  for (const [file] of page.matchAll(/\bdeploy\/[\w./-]*\w/g))
    assert.ok(existsSync(path.join(projectRoot, file)), file);
  const other = ['SIGTERM', 'ROOM', 'NAME', 'PASSWORD', 'HMAC-SHA256', 'SHA-256', 'HTTP'];
  for (const [, name = ''] of page.matchAll(/(?:`|export )([A-Z][A-Z_]{3,})\b/g)) {
    const known = variables().includes(name) || other.includes(name) || variables().some((one) => one.startsWith(name));
    assert.ok(known, name);
  }
});
