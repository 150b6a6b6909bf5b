// The ends of connections that a hostile relay has drawn to itself: real ones, by a browser like those of its victims. It
// decides nothing: what is said to it goes to the relay over a WebSocket, and what it says comes from there.
// Text is about connections, {id, …}; a binary message is id (u32), channel (u8) and what was said on it.

const relay = new WebSocket(new URL(location.href).searchParams.get('relay'));
relay.binaryType = 'arraybuffer';
const opened = new Promise((resolve) => (relay.onopen = resolve));
const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
const connections = new Map();

relay.onmessage = ({ data }) => {
  if (typeof data === 'string') {
    command(JSON.parse(data));
  } else {
    const view = new DataView(data);
    const channel = connections.get(view.getUint32(0))?.channels[view.getUint8(4)];
    if (channel?.readyState === 'open') channel.send(data.slice(5));
  }
};
await opened;
// Nothing but a description tells what the certificate's fingerprint is, in every browser.
const { browser: first } = end(0, { offer: false });
say({ ready: true, sdp: (await first.createOffer()).sdp });
first.close();

function say(message) {
  relay.send(JSON.stringify(message));
}

function command({ id, open, remote, candidate, close }) {
  if (open !== undefined) connections.set(id, end(id, open));
  const { browser, queue } = connections.get(id) ?? {};
  if (browser === undefined) return;
  if (remote !== undefined) {
    queue(async () => {
      await browser.setRemoteDescription(remote);
      if (remote.type === 'offer') await describe(id, browser);
    });
  }
  if (candidate !== undefined) queue(() => browser.addIceCandidate({ candidate, sdpMid: '0' }));
  if (close) {
    browser.close();
    connections.delete(id);
  }
}

function end(id, { offer }) {
  const browser = new RTCPeerConnection({ certificates: [certificate] });
  const channels = ['control', 'data'].map((label, number) => {
    const channel = browser.createDataChannel(label, { negotiated: true, id: number });
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => {
      const message = new Uint8Array(5 + data.byteLength);
      new DataView(message.buffer).setUint32(0, id);
      message[4] = number;
      message.set(new Uint8Array(data), 5);
      relay.send(message);
    };
    return channel;
  });
  let left = channels.length;
  for (const channel of channels) {
    channel.onopen = () => {
      left -= 1;
      if (left === 0) say({ id, opened: true });
    };
  }
  browser.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) say({ id, candidate: candidate.candidate });
  };
  let work = Promise.resolve();
  // A connection that is closed meanwhile has nothing more to do; everything else is said.
  const queue = (task) => {
    work = work
      .then(task)
      .catch((error) => browser.signalingState !== 'closed' && say({ id, failed: String(error) }));
  };
  if (offer) queue(() => describe(id, browser));
  return { browser, channels, queue };
}

async function describe(id, browser) {
  await browser.setLocalDescription();
  say({ id, description: browser.localDescription.sdp });
}
