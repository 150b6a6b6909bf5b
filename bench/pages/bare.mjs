// A data channel and nothing else: what the browser itself can do between two pages. Every leech offers to the seed over the
// relay and is sent the file in pieces that browsers are known to like, with the channel kept full and never flooded.

const PIECE_BYTES = 64 * 1024;
const HIGH_WATER = 1024 * 1024;
const LOW_WATER = 256 * 1024;

/** Answers every offer and sends the file on the channel that comes with it. */
export async function bareSeed(relay, source) {
  const file = await (await fetch(source)).arrayBuffer();
  const signal = await openRelay(relay);
  const connections = new Map();
  signal.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.offer !== undefined) {
      const connection = new RTCPeerConnection();
      connections.set(message.from, connection);
      connection.onicecandidate = ({ candidate }) => say(signal, { to: message.from, candidate });
      connection.ondatachannel = ({ channel }) => {
        sendAll(channel, file);
      };
      await connection.setRemoteDescription(message.offer);
      await connection.setLocalDescription();
      say(signal, { to: message.from, answer: connection.localDescription });
    } else if (message.from !== undefined && message.candidate) {
      await connections.get(message.from)?.addIceCandidate(message.candidate);
    }
  };
}

/** Takes `size` bytes from the seed; `got(total)` after each message. */
export async function bareLeech(relay, size, got) {
  const signal = await openRelay(relay);
  const from = crypto.randomUUID();
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel('data');
  channel.binaryType = 'arraybuffer';
  const file = new Uint8Array(size);
  let total = 0;
  const done = new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      file.set(new Uint8Array(data), total);
      total += data.byteLength;
      got(total);
      if (total === size) {
        resolve();
      }
    };
  });
  const early = [];
  signal.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.to !== from) {
      return;
    }
    if (message.answer !== undefined) {
      await connection.setRemoteDescription(message.answer);
      await Promise.all(early.splice(0).map((candidate) => connection.addIceCandidate(candidate)));
    } else if (message.candidate) {
      if (connection.remoteDescription === null) {
        early.push(message.candidate);
      } else {
        await connection.addIceCandidate(message.candidate);
      }
    }
  };
  connection.onicecandidate = ({ candidate }) => say(signal, { from, candidate });
  await connection.setLocalDescription();
  say(signal, { from, offer: connection.localDescription });
  await done;
}

function sendAll(channel, file) {
  let sent = 0;
  channel.bufferedAmountLowThreshold = LOW_WATER;
  const fill = () => {
    while (sent < file.byteLength && channel.bufferedAmount < HIGH_WATER) {
      channel.send(new Uint8Array(file, sent, Math.min(PIECE_BYTES, file.byteLength - sent)));
      sent += PIECE_BYTES;
    }
  };
  channel.onbufferedamountlow = fill;
  if (channel.readyState === 'open') {
    fill();
  } else {
    channel.onopen = fill;
  }
}

async function openRelay(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('the relay cannot be reached'));
  });
  return socket;
}

function say(socket, message) {
  socket.send(JSON.stringify(message));
}
