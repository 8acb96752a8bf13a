// One end of a call whose media is measured: a publisher or a viewer, over a Janus server or straight to another page.
(() => {
  /** Frames whose times are kept: 5 minutes at 30 fps. */
  const FRAMES_KEPT = 9000;

  const state = { pc: null, startedAt: 0, firstFrameAt: 0, frameTimes: [], handle: null };

  /** A Janus session on a WebSocket of its own: requests in, and events of its one handle out. */
  class Janus {
    #socket;
    #ids = {};
    #waiting = new Map();
    #transactions = 0;
    onOffer = () => {};

    static async open(url) {
      const janus = new Janus();
      janus.#socket = new WebSocket(url, 'janus-protocol');
      janus.#socket.onmessage = ({ data }) => janus.#receive(JSON.parse(data));
      await new Promise((resolve, reject) => {
        janus.#socket.onopen = resolve;
        janus.#socket.onerror = () => reject(new Error(`no connection to ${url}`));
      });
      janus.#ids.session_id = (await janus.request({ janus: 'create' })).data.id;
      janus.#ids.handle_id = (await janus.request({ janus: 'attach', plugin: 'janus.plugin.sfu' })).data.id;
      setInterval(() => janus.request({ janus: 'keepalive', handle_id: undefined }), 20000);
      return janus;
    }

    request(message) {
      this.#transactions += 1;
      const transaction = String(this.#transactions);
      const reply = new Promise((resolve, reject) => this.#waiting.set(transaction, { resolve, reject }));
      this.#socket.send(JSON.stringify({ ...this.#ids, ...message, transaction }));
      return reply;
    }

    async message(body, jsep) {
      const event = await this.request({ janus: 'message', body, ...(jsep && { jsep }) });
      if (event.plugindata?.data.success === false) throw new Error(event.plugindata.data.error.msg);
      return event;
    }

    #receive(message) {
      const { janus, transaction, hint, jsep } = message;
      const waiting = this.#waiting.get(transaction);
      if (!waiting) {
        if (jsep?.type === 'offer') this.onOffer(jsep);
        return;
      }
      if (janus === 'ack' && hint !== undefined) return;
      this.#waiting.delete(transaction);
      if (janus === 'error') waiting.reject(new Error(`${message.error.code} ${message.error.reason}`));
      else waiting.resolve(message);
    }
  }

  function peer() {
    state.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    state.pc.ontrack = ({ track }) => show(track);
    return state.pc;
  }

  /** Plays what comes, so that it is decoded and concealed as it would be for a person; keeps the time of each frame. */
  async function show(track) {
    const element = document.createElement(track.kind);
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    if (track.kind !== 'video') return;
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      value.close();
      const now = performance.now();
      if (state.firstFrameAt === 0) state.firstFrameAt = now;
      state.frameTimes.push(now);
      if (state.frameTimes.length > FRAMES_KEPT) state.frameTimes.shift();
    }
  }

  /** The fake camera, and a tone: the fake microphone is silent most of the time. */
  async function capture(video) {
    const stream = await navigator.mediaDevices.getUserMedia({ video });
    const audio = new AudioContext();
    const oscillator = audio.createOscillator();
    const volume = audio.createGain();
    volume.gain.value = 0.1;
    const destination = audio.createMediaStreamDestination();
    oscillator.connect(volume).connect(destination);
    oscillator.start();
    stream.addTrack(destination.stream.getAudioTracks()[0]);
    return stream;
  }

  async function gathered(pc) {
    while (pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    }
    return pc.localDescription.sdp;
  }

  async function addSource(pc, video, codec) {
    const stream = await capture(video);
    for (const track of stream.getTracks()) pc.addTrack(track, stream);
    if (!codec) return;
    const { codecs } = RTCRtpSender.getCapabilities('video');
    const wanted = codecs.filter(
      ({ mimeType, sdpFmtpLine = '' }) =>
        mimeType === codec &&
        (codec !== 'video/H264' || (/42e01f/.test(sdpFmtpLine) && /packetization-mode=1/.test(sdpFmtpLine))),
    );
    const beside = codecs.filter(({ mimeType }) => /rtx|red|ulpfec/i.test(mimeType));
    for (const transceiver of pc.getTransceivers()) {
      if (transceiver.sender.track?.kind === 'video') transceiver.setCodecPreferences([...wanted, ...beside]);
    }
  }

  async function reports() {
    return [...(await state.pc.getStats()).values()];
  }

  window.fixture = {
    /** Publishes to a room. */
    async publish({ url, room, user, video, codec }) {
      const pc = peer();
      await addSource(pc, video, codec);
      state.handle = await Janus.open(url);
      await pc.setLocalDescription();
      const { jsep } = await state.handle.message({}, { type: 'offer', sdp: await gathered(pc) });
      await pc.setRemoteDescription(jsep);
      await window.fixture.connected();
      state.startedAt = performance.now();
      await state.handle.message({
        kind: 'join',
        room_id: room,
        user_id: user,
        subscribe: { notifications: true, data: true },
      });
    },

    /** Subscribes to a publisher; the first frame is timed from here. */
    async watch({ url, room, user, publisher }) {
      const janus = await Janus.open(url);
      state.handle = janus;
      state.startedAt = performance.now();
      const { jsep } = await janus.message({
        kind: 'join',
        room_id: room,
        user_id: user,
        subscribe: { media: publisher },
      });
      const pc = peer();
      let negotiated = Promise.resolve();
      const answer = async (offer) => {
        await pc.setRemoteDescription(offer);
        await pc.setLocalDescription();
        await janus.message({}, { type: 'answer', sdp: pc.localDescription.sdp });
      };
      janus.onOffer = (offer) => {
        negotiated = negotiated.then(() => answer(offer));
      };
      await answer(jsep);
    },

    /** Straight to another page: the offer of one that publishes, with all its candidates. */
    async offer({ video, codec }) {
      const pc = peer();
      await addSource(pc, video, codec);
      await pc.setLocalDescription();
      return gathered(pc);
    },

    /** The other page's answer; the first frame is timed from here. */
    async answer(sdp) {
      state.startedAt = performance.now();
      const pc = peer();
      await pc.setRemoteDescription({ type: 'offer', sdp });
      await pc.setLocalDescription();
      return gathered(pc);
    },

    async accept(sdp) {
      await state.pc.setRemoteDescription({ type: 'answer', sdp });
    },

    /** Waits until ICE and DTLS are up. */
    async connected() {
      const { pc } = state;
      while (pc.connectionState !== 'connected') {
        if (pc.connectionState === 'failed') throw new Error('the connection failed');
        await new Promise((resolve) => pc.addEventListener('connectionstatechange', resolve, { once: true }));
      }
      state.startedAt ||= performance.now();
    },

    /** Milliseconds from the start to the first decoded frame; 0: none yet. */
    firstFrame: () => (state.firstFrameAt === 0 ? 0 : state.firstFrameAt - state.startedAt),

    /** Milliseconds from the start. */
    elapsed: () => performance.now() - state.startedAt,

    /** When each frame since a time was there; times are this page's performance.now(). */
    frameTimes: (since) => state.frameTimes.filter((time) => time >= since),

    /** Totals of the sending or receiving streams so far. */
    async totals() {
      const all = await reports();
      const stream = (type, kind) => all.find((one) => one.type === type && one.kind === kind) ?? {};
      const codecOf = ({ codecId }) => all.find(({ id }) => id === codecId)?.mimeType ?? '';
      const pair =
        all.find(
          ({ type, nominated, state: pairState }) =>
            type === 'candidate-pair' && nominated && pairState === 'succeeded',
        ) ?? {};
      return {
        at: performance.now(),
        inbound: { video: stream('inbound-rtp', 'video'), audio: stream('inbound-rtp', 'audio') },
        outbound: { video: stream('outbound-rtp', 'video'), audio: stream('outbound-rtp', 'audio') },
        codec: codecOf(stream('inbound-rtp', 'video')) || codecOf(stream('outbound-rtp', 'video')),
        availableOutgoingBitrate: pair.availableOutgoingBitrate ?? 0,
        roundTripTime: pair.currentRoundTripTime ?? 0,
      };
    },
  };
})();
