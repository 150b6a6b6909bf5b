// Makes the page or worker that loads it a bad peer, below the contender's code. `corrupt` flips a bit near the end of
// every message that is long enough to carry payload; `slow` lets 64 kB of them through in a second; the rest waits, and counts as buffered.

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
  /** What waits in front of a slow link, by channel: it goes out in order, and counts as buffered. */
  const waiting = new Map();
  let freeAt = 0;
  if (fault === 'slow') {
    countAsBuffered();
  }

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
    const behind = waiting.get(channel) ?? { bytes: 0, queue: Promise.resolve() };
    waiting.set(channel, behind);
    if (behind.bytes === 0 && (typeof data === 'string' || data.byteLength <= PAYLOAD_BYTES)) {
      forward(data);
      return;
    }
    const copy = typeof data === 'string' ? data : copyOf(data);
    freeAt = Math.max(freeAt, performance.now()) + copy.length / SLOW_BYTES_PER_MS;
    const due = freeAt;
    behind.bytes += copy.length;
    behind.queue = behind.queue.then(async () => {
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
      behind.bytes -= copy.length;
      if (channel.readyState === 'open') {
        forward(copy);
        const low = channel.bufferedAmountLowThreshold;
        if (behind.bytes <= low && behind.bytes + copy.length > low) {
          channel.dispatchEvent(new self.Event('bufferedamountlow'));
        }
      }
    });
  }

  function countAsBuffered() {
    const { get } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'bufferedAmount');
    Object.defineProperty(RTCDataChannel.prototype, 'bufferedAmount', {
      get() {
        return get.call(this) + (waiting.get(this)?.bytes ?? 0);
      },
    });
  }

  function copyOf(data) {
    return ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
      : new Uint8Array(data).slice();
  }
};
