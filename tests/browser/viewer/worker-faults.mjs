// Runs in the worker before the package's own script.

import { skewClock } from './faults.mjs';

const parameters = new URL(self.location.href).searchParams;

if (parameters.has('skew')) {
  skewClock(Number(parameters.get('skew')));
}
if (parameters.has('alter')) {
  alterOutgoing(Number(parameters.get('alter')));
}
if (parameters.has('listen')) {
  listenToOutgoing();
}

// Flips a bit near the end of a payload, so that only its hash can tell.
function alterOutgoing(after) {
  let sent = 0;
  wrapSend((channel, bytes) => {
    if (channel.label !== 'data' || bytes.length < LONG) {
      return bytes;
    }
    sent += 1;
    if (sent <= after) {
      return bytes;
    }
    const altered = bytes.slice();
    altered[altered.length - 7] ^= 0x20;
    tell.postMessage({ altered: sent });
    return altered;
  });
}

function listenToOutgoing() {
  wrapSend((channel, bytes) => {
    tell.postMessage({ label: channel.label, bytes: bytes.slice() });
    return bytes;
  });
}

function wrapSend(change) {
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (data) {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    return send.call(this, change(this, bytes));
  };
}

const tell = new BroadcastChannel('worker-faults');
const LONG = 256;
