// Looks at WebRTC from below every contender alike: counts connections, and reads the browser's own byte counters.

'use strict';

(() => {
  const Original = window.RTCPeerConnection;
  const connections = [];
  let firstMadeAt = null;
  let firstOpenAt = null;

  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      firstMadeAt ??= performance.now();
      connections.push({ connection: this, received: 0, sent: 0, connected: false });
      const own = connections.at(-1);
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') {
          own.connected = true;
          firstOpenAt ??= performance.now();
        }
      });
    }

    close() {
      const own = connections.find(({ connection }) => connection === this);
      void readCounters(own);
      super.close();
    }
  };

  window.__wire = {
    /** Bytes of data channel messages, connections made and connected, and when the first was. */
    async totals() {
      await Promise.all(connections.map(readCounters));
      const sum = (key) => connections.reduce((total, each) => total + Number(each[key]), 0);
      return {
        received: sum('received'),
        sent: sum('sent'),
        made: connections.length,
        connected: sum('connected'),
        firstMadeAt,
        firstOpenAt,
      };
    },
  };

  async function readCounters(own) {
    if (own.connection.connectionState === 'closed') {
      return;
    }
    const report = await own.connection.getStats();
    let [received, sent] = [0, 0];
    for (const entry of report.values()) {
      if (entry.type === 'data-channel') {
        received += entry.bytesReceived;
        sent += entry.bytesSent;
      }
    }
    own.received = Math.max(own.received, received);
    own.sent = Math.max(own.sent, sent);
  }

  // A connection that closes takes its counters with it.
  setInterval(() => window.__wire.totals(), 500);
})();
