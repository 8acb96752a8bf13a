/** A user by janus.js, as the pages that its documentation shows: callbacks, and PeerConnections of its own. */
import Janus from 'janus-gateway';

const initialised = new Promise((resolve) => Janus.init({ debug: ['warn', 'error'], callback: resolve }));

/** Turns janus.js' success and error callbacks into a promise. */
function called(start) {
  return new Promise((resolve, reject) =>
    start({ success: resolve, error: (reason) => reject(new Error(String(reason))) }),
  );
}

class User {
  constructor(id) {
    this.id = id;
    this.joined = [];
    this.left = [];
    this.heard = [];
    this.media = [];
    this.hangups = [];
    this.detached = [];
    this.losses = [];
    this.videos = {};
  }

  async connect(server) {
    await initialised;
    await called(({ success, error }) => {
      const lost = (reason) => {
        this.losses.push(String(reason));
        error(reason);
      };
      this.janus = new Janus({ server, success, error: lost, destroyed: () => {} });
    });
  }

  attach(callbacks) {
    return called(({ success, error }) =>
      this.janus.attach({ plugin: 'janus.plugin.sfu', opaqueId: this.id, success, error, ...callbacks }),
    );
  }

  /** Sends a message; resolves with the answering event, `{message, jsep}`. */
  request(handle, waiting, message, jsep) {
    return new Promise((resolve, reject) => {
      waiting.push(resolve);
      handle.send({ message, jsep, error: (reason) => reject(new Error(String(reason))) });
    });
  }

  async publish(room) {
    const waiting = [];
    let up;
    let open;
    const webrtcUp = new Promise((resolve) => {
      up = resolve;
    });
    const channelOpen = new Promise((resolve) => {
      open = resolve;
    });
    this.publisher = await this.attach({
      onmessage: (message, jsep) => {
        if (message.event === 'join') this.joined.push(message.user_id);
        else if (message.event === 'leave') this.left.push(message.user_id);
        else waiting.shift()?.({ message, jsep });
      },
      webrtcState: (on) => on && up(),
      mediaState: (type, receiving, mid) => this.media.push({ type, receiving, mid }),
      ondataopen: (label) => open(label),
      ondata: (data, label) =>
        this.heard.push({ label, data: typeof data === 'string' ? data : [...new Uint8Array(data)] }),
    });
    const offer = await called(({ success, error }) =>
      this.publisher.createOffer({
        tracks: [{ type: 'audio', capture: true }, { type: 'video', capture: true }, { type: 'data' }],
        success,
        error,
      }),
    );
    const answered = await this.request(this.publisher, waiting, {}, offer);
    await called(({ success, error }) =>
      this.publisher.handleRemoteJsep({ jsep: answered.jsep, success: () => success(), error }),
    );
    await webrtcUp;
    this.label = await channelOpen;
    const subscribe = { notifications: true, data: true };
    const joined = await this.request(this.publisher, waiting, {
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe,
    });
    return joined.message.response.users[room];
  }

  async subscribe(room, source) {
    const waiting = [];
    let up;
    const webrtcUp = new Promise((resolve) => {
      up = resolve;
    });
    const stream = new MediaStream();
    const handle = await this.attach({
      onmessage: (message, jsep) => waiting.shift()?.({ message, jsep }),
      webrtcState: (on, reason) => (on ? up() : this.hangups.push(`${source}: ${reason}`)),
      ondetached: () => this.detached.push(source),
      onremotetrack: (track, _mid, added) => (added ? stream.addTrack(track) : stream.removeTrack(track)),
    });
    const offered = await this.request(handle, waiting, {
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { media: source },
    });
    const answer = await called(({ success, error }) =>
      handle.createAnswer({ jsep: offered.jsep, tracks: [{ type: 'data' }], success, error }),
    );
    await this.request(handle, waiting, {}, answer);
    await webrtcUp;
    const video = Object.assign(document.createElement('video'), { autoplay: true, srcObject: stream });
    document.body.append(video);
    this.videos[source] = { video, handle };
  }

  say(message) {
    const data = typeof message === 'string' ? { text: message } : { data: new Uint8Array(message) };
    return called(({ success, error }) => this.publisher.data({ ...data, success: () => success(), error }));
  }

  /** Frames decoded and audio energy of a subscription so far. */
  async received(source) {
    const seen = { framesDecoded: 0, totalAudioEnergy: 0 };
    const report = await this.videos[source].handle.webrtcStuff.pc.getStats();
    for (const entry of report.values()) {
      if (entry.type !== 'inbound-rtp') continue;
      seen.framesDecoded += entry.framesDecoded ?? 0;
      seen.totalAudioEnergy += entry.totalAudioEnergy ?? 0;
    }
    return seen;
  }

  /** Ends a subscription's PeerConnection; what the server says of it comes into `hangups`. */
  hangup(source) {
    this.videos[source].handle.hangup(true);
  }

  detach(source) {
    return called(({ success, error }) => this.videos[source].handle.detach({ success: () => success(), error }));
  }

  /** Claims the session again, as after a loss of the connection. */
  reconnect() {
    return called(({ success, error }) => this.janus.reconnect({ success: () => success(), error }));
  }

  leave() {
    return called(({ success, error }) => this.janus.destroy({ success: () => success(), error }));
  }
}

window.users = {};
window.addUser = async (id, server) => {
  window.users[id] = new User(id);
  await window.users[id].connect(server);
};
