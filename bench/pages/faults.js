// Makes the page or worker that loads it a bad peer, below the contender's code. `corrupt` flips a bit near the end of
// every message that is long enough to carry payload; `slow` lets through 64 kB a second.

'use strict';

self.breakSending = (fault) => {
  const { send } = RTCDataChannel.prototype;
  const change = { corrupt, slow }[fault];
  if (change === undefined) {
    throw new Error(`no fault is called ${fault}`);
  }
  RTCDataChannel.prototype.send = function (data) {
    change(this, data, (changed) => send.call(this, changed));
  };

  const PAYLOAD_BYTES = 2000;
  const SLOW_BYTES_PER_MS = 64;
  let freeAt = 0;

  function corrupt(channel, data, forward) {
    if (typeof data === 'string' || data.byteLength <= PAYLOAD_BYTES) {
      forward(data);
      return;
    }
    const copy = copyOf(data);
    copy[copy.length - 1] ^= 0x20;
    forward(copy);
  }

  function slow(channel, data, forward) {
    if (typeof data === 'string' || data.byteLength <= PAYLOAD_BYTES) {
      forward(data);
      return;
    }
    const copy = copyOf(data);
    freeAt = Math.max(freeAt, performance.now()) + copy.length / SLOW_BYTES_PER_MS;
    setTimeout(() => {
      if (channel.readyState === 'open') {
        forward(copy);
      }
    }, freeAt - performance.now());
  }

  function copyOf(data) {
    return ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
      : new Uint8Array(data).slice();
  }
};
