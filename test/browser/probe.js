// Runs in every tested page before its own scripts: keeps the page's PeerConnections and reads their statistics.
(() => {
  const peers = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...parameters) {
      super(...parameters);
      peers.push(this);
    }

    /** With `onlyCodec` the page is a browser that knows no other video codec. */
    addTrack(track, ...streams) {
      const sender = super.addTrack(track, ...streams);
      if (window.onlyCodec && track.kind === 'video') {
        const { codecs } = RTCRtpSender.getCapabilities('video');
        const transceiver = this.getTransceivers().find((candidate) => candidate.sender === sender);
        transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === window.onlyCodec));
      }
      return sender;
    }

    /** With `mediaPort` the server's candidates lead to that port: a proxy's, or one where nobody listens. */
    setRemoteDescription({ type, sdp }) {
      const through = (_candidate, before) => `${before} 127.0.0.1 ${window.mediaPort}`;
      const changed = window.mediaPort ? sdp.replace(/^(a=candidate:.* udp \d+) \S+ \d+/gm, through) : sdp;
      return super.setRemoteDescription({ type, sdp: changed });
    }
  };

  const tracks = [];
  const devices = navigator.mediaDevices;
  const getUserMedia = devices?.getUserMedia.bind(devices);
  if (devices) {
    devices.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    };
  }

  const open = () => peers.filter((pc) => pc.connectionState !== 'closed');

  async function reportsOf(pc, type) {
    const all = new Map();
    (await pc.getStats()).forEach((report) => {
      all.set(report.id, report);
    });
    const codecOf = (report) => all.get(report.codecId)?.mimeType ?? '';
    return [...all.values()]
      .filter((report) => report.type === type)
      .map((report) => ({ ...report, codec: codecOf(report) }));
  }

  window.probe = {
    /** How many PeerConnections the page has made, open or closed. */
    made: () => peers.length,
    /** TURN user names, a PeerConnection each, in the order in which they were made. */
    credentials: () => peers.flatMap((pc) => pc.getConfiguration().iceServers.map(({ username }) => username)),

    /** The PeerConnection that receives this stream's tracks. */
    receiverOf(stream) {
      const tracks = stream?.getTracks() ?? [];
      return open().find((pc) => pc.getReceivers().some(({ track }) => tracks.includes(track))) ?? null;
    },

    /** The tracks of cameras and microphones that the page was given so far. */
    opened: () => tracks,

    /** The PeerConnections that send. */
    senders() {
      return open().filter((pc) => pc.getSenders().some(({ track }) => track !== null));
    },

    /** Totals of what a PeerConnection has received so far. */
    async received(pc) {
      const totals = {
        frames: 0,
        audioEnergy: 0,
        audioPackets: 0,
        videoPackets: 0,
        videoLost: 0,
        nacks: 0,
        codec: '',
        width: 0,
      };
      if (!pc || pc.connectionState === 'closed') return totals;
      for (const report of await reportsOf(pc, 'inbound-rtp')) {
        if (report.kind === 'audio') {
          totals.audioEnergy += report.totalAudioEnergy ?? 0;
          totals.audioPackets += report.packetsReceived ?? 0;
        } else {
          totals.frames += report.framesDecoded ?? 0;
          totals.videoPackets += report.packetsReceived ?? 0;
          totals.videoLost += report.packetsLost ?? 0;
          totals.nacks += report.nackCount ?? 0;
          totals.width = report.frameWidth ?? 0;
          totals.codec = report.codec;
        }
      }
      return totals;
    },

    /** Video frames that the page has sent so far. */
    async framesSent() {
      const reports = await Promise.all(window.probe.senders().map((pc) => reportsOf(pc, 'outbound-rtp')));
      return reports.flat().reduce((sum, report) => sum + (report.framesSent ?? 0), 0);
    },

    /** Waits for the next decoded frame of a track: its time, as Date.now(); rejects after the limit. */
    async nextFrame(track, limitMs) {
      const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
      let timer;
      const timeout = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no frame within ${limitMs} ms`)), limitMs);
      });
      try {
        const { value } = await Promise.race([reader.read(), timeout]);
        value?.close();
        return Date.now();
      } finally {
        clearTimeout(timer);
        reader.cancel().catch(() => {});
      }
    },

    /** Every state change of the open PeerConnections and what their descriptions say, for a failed test's message. */
    describe() {
      return open().map((pc) => ({
        connection: pc.connectionState,
        ice: pc.iceConnectionState,
        signaling: pc.signalingState,
        local: pc.localDescription?.sdp ?? '',
        remote: pc.remoteDescription?.sdp ?? '',
      }));
    },
  };
})();
