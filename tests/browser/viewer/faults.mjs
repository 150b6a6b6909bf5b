// What a test breaks on the main thread, before anything else runs.

export function breakWhatTheUrlSays({ webrtc, clockSkewMs }) {
  if (!webrtc) {
    delete window.RTCPeerConnection;
    delete window.webkitRTCPeerConnection;
    delete window.mozRTCPeerConnection;
  }
  if (clockSkewMs !== 0) {
    skewClock(clockSkewMs);
  }
}

export function skewClock(ms) {
  const Original = globalThis.Date;
  globalThis.Date = class extends Original {
    constructor(...args) {
      if (args.length === 0) {
        super(Original.now() + ms);
      } else {
        super(...args);
      }
    }
    static now() {
      return Original.now() + ms;
    }
  };
}
