import { clusterName, file, host, hostAndPort, MAX, natsUrls, port, shortText, text, whole, word } from '../kinds.js';
import { setting } from '../setting.js';

export const CLUSTER = {
  NATS_URL: setting(
    natsUrls,
    '',
    'NATS servers with JetStream that the nodes of a cluster share, separated by commas: `nats://name:password@nats.example.org:4222`; unset = this server is alone',
    { secret: true },
  ),
  NATS_CREDENTIALS: setting(file, null, 'file with the credentials of a NATS user, as `nsc` writes it'),
  NATS_TLS_CA: setting(file, null, 'file with the certificates that NATS’ own must be signed by (PEM)'),
  NATS_TLS_CERT: setting(file, null, 'file with this node’s certificate for NATS (PEM)'),
  NATS_TLS_KEY: setting(file, null, 'file with the private key of `NATS_TLS_CERT` (PEM)'),
  NATS_REPLICAS: setting(whole(1, 5), '1', 'copies of what nodes share among the servers of NATS, 1 to 5'),
  CLUSTER_SECRET: setting(
    text,
    null,
    'what the nodes prove to each other, the same on all of them; needed with `NATS_URL`, at least 32 characters',
    { secret: true },
  ),
  CLUSTER_NAME: setting(clusterName, 'janus-sfu', 'what the cluster’s buckets and subjects in NATS begin with'),
  CLUSTER_NODE: setting(shortText(100), null, 'what this node is called where people read it', {
    shown: 'the machine’s name',
  }),
  CLUSTER_BIND: setting(host, null, 'address that the port for the other nodes listens on', { shown: 'all addresses' }),
  CLUSTER_PORT: setting(port, '7288', 'port for the other nodes, which clients must not reach; 0 takes a free one'),
  CLUSTER_ADDRESS: setting(
    hostAndPort,
    null,
    'where the other nodes reach that port: `10.0.0.5`, or with another port `10.0.0.5:7300`',
    { shown: 'the machine’s first address' },
  ),
  CLUSTER_TLS_CA: setting(file, null, 'file with the certificates that the nodes’ own must be signed by (PEM)'),
  CLUSTER_TLS_CERT: setting(
    file,
    null,
    'file with this node’s certificate (PEM): what passes between nodes is encrypted then, and each must show one',
  ),
  CLUSTER_TLS_KEY: setting(file, null, 'file with the private key of `CLUSTER_TLS_CERT` (PEM)'),
  CLUSTER_COOKIE: setting(
    word(['lax', 'none', 'off']),
    'lax',
    'how clients without `?room=` are recognized when they come back: a cookie for pages of the same site (`lax`), of any site (`none`, over TLS alone), or not at all',
  ),
  CLUSTER_PLACEMENT: setting(
    word(['load', 'arrival']),
    'load',
    'where a new room goes: to the node that has least to do (`load`), or to the one where its first client comes, unless that drains or is overloaded (`arrival`: for a balancer that hashes `?room=`)',
  ),
  CLUSTER_RELAYS_MAX: setting(
    whole(1, MAX),
    '20000',
    'WebSockets and HTTP requests that may go through this node to others, and connections of others to it; more get 503',
  ),
};
