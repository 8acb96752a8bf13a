/** A page of another site, at a node that has not its room: with CLUSTER_COOKIE=none a browser is recognized when it comes back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { browserTest, launchBrowser } from '../support/browser.js';
import { certificateFiles, installCertificate, makeCertificate } from '../support/certificates.js';
import { TestCluster } from '../support/cluster.js';
import { JanusClient } from '../support/janus-client.js';
import { natsMissing } from '../support/nats.js';

/** Joins by Janus messages, as any client would: who is there, or the close code of the connection. */
const JOIN = `(url) => new Promise((resolve) => {
  const socket = new WebSocket(url, 'janus-protocol');
  const ask = (message) => socket.send(JSON.stringify({ transaction: 'x', ...message }));
  let session = 0;
  socket.onopen = () => ask({ janus: 'create' });
  socket.onclose = ({ code }) => resolve(code);
  socket.onmessage = ({ data }) => {
    const { janus, data: made, plugindata } = JSON.parse(data);
    if (janus === 'success' && session === 0) {
      session = made.id;
      ask({ janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu' });
    } else if (janus === 'success') {
      const body = { kind: 'join', room_id: 'plaza', user_id: 'bob', subscribe: { data: true } };
      ask({ janus: 'message', session_id: session, handle_id: made.id, body });
    } else if (janus === 'event') {
      resolve(plugindata.data.response?.users.plaza ?? plugindata.data.error.msg);
    }
  };
})`;

browserTest(
  'a page of another site is sent to connect again, and then it is where its room is',
  async (_browser, t) => {
    const missing = natsMissing();
    if (missing !== false) return t.skip(missing);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-site-'));
    const certificate = await makeCertificate({ name: 'sfu.test' });
    installCertificate(folder, certificate);
    const browser = await launchBrowser([
      '--host-resolver-rules=MAP sfu.test 127.0.0.1,MAP page.example 127.0.0.1',
      '--ignore-certificate-errors',
    ]);
    try {
      await TestCluster.open(2, { ...certificateFiles(folder), CLUSTER_COOKIE: 'none' }, async (cluster) => {
        const ca = certificate.cert;
        const ann = await JanusClient.connect(`${cluster.node(0).server.wsUrl}/?room=plaza`, 'janus-protocol', { ca });
        await ann.join('plaza', 'ann', { data: true });
        const [owner] = await cluster.owners('plaza');
        const away = cluster.nodes.find(({ name }) => name !== owner);
        if (!away) throw new Error('there is one node');
        const page = await browser.newPage({ ignoreHTTPSErrors: true });
        await page.goto(`https://page.example:${new URL(away.server.httpUrl).port}/healthz`);
        const url = `wss://sfu.test:${new URL(away.server.wsUrl).port}/`;
        const join = () => page.evaluate(`(${JOIN})(${JSON.stringify(url)})`);
        assert.equal(await join(), 1012, 'the room is elsewhere');
        assert.deepEqual(await join(), ['ann'], 'the second time it is recognized');
        await ann.close();
      });
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
