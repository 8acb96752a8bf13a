/* global AFRAME, NAF */
// The part of a networked-aframe scene that concerns the media server. Addresses may say ?room=, ?media=, ?user=, ?token=, ?server=.
const address = new URLSearchParams(window.location.search);
const door = document.querySelector('#door');
const words = document.querySelector('#status');
const scene = document.querySelector('a-scene');
const player = document.querySelector('#player');

for (const name of ['room', 'media']) if (address.has(name)) door.elements[name].value = address.get(name);
// Nobody else may have it: two pages with one user id take each other for their own past.
const user = address.get('user') ?? crypto.randomUUID();
const server = address.get('server') ?? `ws://${window.location.hostname}:8188`;

AFRAME.registerComponent('colour-of-owner', {
  async init() {
    const owner = NAF.utils.getNetworkOwner(await NAF.utils.getNetworkedEntity(this.el));
    const hue = [...owner].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
    this.el.querySelector('.head').setAttribute('color', `hsl(${hue}, 70%, 60%)`);
  },
});

// What of an avatar travels to the others.
NAF.schemas.add({ template: '#avatar-template', components: ['position', 'rotation'] });

/** Somewhere around the box in the middle, looking at it. */
function takePlace() {
  const angle = Math.random() * 2 * Math.PI;
  player.setAttribute('position', { x: 3 * Math.sin(angle), y: 1.6, z: 3 * Math.cos(angle) });
  player.components['look-controls'].yawObject.rotation.y = angle;
}

async function enter() {
  const { room, media } = door.elements;
  const video = media.value === 'camera' ? { width: 320, height: 240 } : false;
  // The adapter asks for no devices by itself.
  const stream = media.value === 'none' ? null : await navigator.mediaDevices.getUserMedia({ audio: true, video });
  scene.addEventListener(
    'adapter-ready',
    ({ detail: adapter }) => {
      adapter.setClientId(user);
      if (address.has('token')) adapter.setJoinToken(address.get('token'));
      if (stream) adapter.setLocalMediaStream(stream);
      // The server is reachable: no STUN, no TURN.
      adapter.setPeerConnectionConfig({ iceServers: [] });
    },
    { once: true },
  );
  scene.setAttribute('networked-scene', { room: room.value, serverURL: server });
  takePlace();
  await scene.components['networked-scene'].connect();
}

// From version 4 on the adapter subscribes to whom it is told to: here everybody who is in the room, or comes.
document.body.addEventListener('connected', () => {
  const { adapter } = NAF.connection;
  adapter.syncOccupants(adapter.availableOccupants);
});

door.addEventListener('submit', async (event) => {
  event.preventDefault();
  words.textContent = 'Entering …';
  try {
    await enter();
    door.hidden = true;
  } catch (error) {
    words.textContent = `${error?.message ?? error}. Does janus-sfu run at ${server}?`;
  }
});
