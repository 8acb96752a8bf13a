/* global AFRAME, NAF */
// A page as an application would write it: networked-aframe and naf-janus-adapter from npm, used by their public ways only.
(() => {
  const address = new URLSearchParams(window.location.search);
  const get = (name) => address.get(name);
  const colour = `hsl(${Math.floor(Math.random() * 360)}, 70%, 60%)`;
  const scene = `
    <a-scene embedded vr-mode-ui="enabled: false" renderer="antialias: false; maxCanvasWidth: 160; maxCanvasHeight: 90"
      networked-scene="connectOnLoad: false; adapter: janus; room: ${get('room')}; serverURL: ${get('server')}">
      <a-assets>
        <template id="avatar-template">
          <a-entity class="avatar" networked-audio-source>
            <a-sphere class="head" color="${colour}" scale="0.4 0.4 0.4"></a-sphere>
            <a-plane class="screen" networked-video-source position="0 0.8 0" width="1.6" height="0.9" material="shader: flat"></a-plane>
          </a-entity>
        </template>
      </a-assets>
      <a-entity id="player" networked="template: #avatar-template; attachTemplateToLocal: false" position="0 1.6 0"></a-entity>
      <a-entity camera position="0 1.6 6"></a-entity>
      <a-sky color="#223344"></a-sky>
    </a-scene>`;

  const log = [];
  const note = (what, detail = '') => log.push({ at: Date.now(), what, detail: String(detail) });
  const ready = new Promise((resolve) => {
    document.addEventListener('DOMContentLoaded', () => {
      for (const name of ['clientConnected', 'clientDisconnected', 'blocked', 'unblocked']) {
        document.body.addEventListener(name, ({ detail }) => note(name, detail.clientId));
      }
      document.body.addEventListener('clientConnected', ({ detail }) => listenTo(detail.clientId));
      document.body.insertAdjacentHTML('beforeend', scene);
      NAF.schemas.add({ template: '#avatar-template', components: ['position', 'rotation'] });
      const element = document.querySelector('a-scene');
      if (element.hasLoaded) resolve(element);
      else element.addEventListener('loaded', () => resolve(element), { once: true });
    });
  });

  const camera = () =>
    navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240, frameRate: 15 } });

  // networked-audio-source plays through Web Audio and keeps its own audio element at volume 0, and Chromium counts the
  // audio energy after the volume: a second element at full volume makes the sound count.
  function listenTo(user) {
    NAF.connection.adapter.getMediaStream(user, 'audio').then(
      (stream) => {
        const element = new Audio();
        element.srcObject = stream;
        element.play().catch((error) => note('no sound', error));
      },
      (error) => note('no stream', error),
    );
  }

  const entityOf = (user) =>
    [...document.querySelectorAll('[networked]')].find((entity) => NAF.utils.getNetworkOwner(entity) === user) ?? null;

  window.fixture = {
    log,

    /** Loads the scene and connects; with media=before the camera is there before the connection. */
    async connect() {
      const element = await ready;
      // The adapter takes a stream before it connects or after; one that comes in between gets lost in it.
      const stream = get('media') === 'before' ? await camera() : null;
      const started = performance.now();
      element.addEventListener(
        'adapter-ready',
        ({ detail: adapter }) => {
          if (stream) adapter.setLocalMediaStream(stream);
          adapter.setClientId(get('user'));
          if (get('token')) adapter.setJoinToken(get('token'));
          adapter.setPeerConnectionConfig({ iceServers: [] });
          adapter.setReconnectionListeners(
            () => note('reconnecting'),
            () => note('reconnected'),
            (error) => note('reconnection failed', error),
          );
        },
        { once: true },
      );
      const networked = element.components['networked-scene'];
      const connected = new Promise((resolve) => {
        document.body.addEventListener('connected', resolve, { once: true });
      });
      // Whom a cluster sends to another node is connected by the adapter's next attempt; the first one fails, or never ends.
      const first = networked.connect().catch((error) => {
        if (!log.some(({ what }) => what === 'reconnecting')) throw error;
        return connected;
      });
      await Promise.race([first, connected]);
      const { adapter } = NAF.connection;
      adapter.syncOccupants(adapter.availableOccupants);
      note('connected');
      return performance.now() - started;
    },

    async addMedia() {
      await NAF.connection.adapter.setLocalMediaStream(await camera());
    },

    occupants: () => Object.keys(NAF.connection.adapter.occupants).sort(),

    received: (user) => window.probe.received(NAF.connection.adapter.occupants[user]?.conn ?? null),

    /** When the next frame of a user is decoded. */
    nextFrame(user, limitMs) {
      const conn = NAF.connection.adapter.occupants[user]?.conn;
      const track = conn?.getReceivers().find((receiver) => receiver.track.kind === 'video')?.track;
      return track ? window.probe.nextFrame(track, limitMs) : Promise.reject(new Error(`no video track of ${user}`));
    },

    move(x, y, z) {
      document.querySelector('#player').setAttribute('position', { x, y, z });
    },

    /** Where a user's entity is on this page, or null. */
    positionOf(user) {
      const entity = entityOf(user);
      if (!entity) return null;
      const { x, y, z } = entity.object3D.position;
      return { x, y, z };
    },

    block: (user) => NAF.connection.adapter.block(user),
    unblock: (user) => NAF.connection.adapter.unblock(user),
    version: () => ({ aframe: AFRAME.version }),
  };
})();
