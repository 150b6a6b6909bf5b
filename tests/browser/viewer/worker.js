// The package's worker with something broken in it first: `worker.js?alter=N` flips a bit in every data message after the
// Nth, `?skew=MS` puts the clock wrong, `?listen` reports what is sent to peers, `?mortal` lets a page end it, `?perjure` signs
// junk (perjurer.js).

'use strict';

importScripts('skew-clock.js');

const parameters = new URL(self.location.href).searchParams;
const tell = new BroadcastChannel('worker-faults');

if (parameters.has('skew')) {
  skewClock(Number(parameters.get('skew')));
}
if (parameters.has('alter')) {
  alterOutgoing(Number(parameters.get('alter')));
}
// In a browser that cannot transfer channels the page has them, and listens itself.
if (parameters.has('listen') && 'RTCDataChannel' in self) {
  wrapSend((channel, bytes) => {
    tell.postMessage({ label: channel.label, bytes: bytes.slice() });
    return bytes;
  });
}
if (parameters.has('perjure')) {
  importScripts('perjurer.js');
}
if (parameters.has('mortal')) {
  new BroadcastChannel('worker-end').onmessage = ({ data: silently }) => {
    if (silently) {
      self.close();
    } else {
      throw new Error('ended by the test');
    }
  };
}

importScripts('/pkg/worker.js');

// Near the end of the payload, where only its hash can tell.
function alterOutgoing(after) {
  let sent = 0;
  wrapSend((channel, bytes) => {
    if (channel.label !== 'data') {
      return bytes;
    }
    sent += 1;
    if (sent <= after) {
      return bytes;
    }
    const altered = bytes.slice();
    altered[altered.length - 1] ^= 0x20;
    return altered;
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
