// swarmseal's worker, looked at or with a fault in its sending: its channels and its memory live here, where the page's own
// script cannot reach them.

'use strict';

const asked = new URL(self.location.href).searchParams;
if (asked.has('fault')) {
  importScripts('faults.js');
  self.breakSending(asked.get('fault'));
}
if (asked.has('probe')) {
  answerForMemory(new BroadcastChannel(`${asked.get('probe')} ${asked.get('page')}`));
}
importScripts('/pkg/worker.js');

/** Says how large the memory of the core is, which is the only one that this worker makes. */
function answerForMemory(channel) {
  const { Instance } = WebAssembly;
  let memory = null;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      ({ memory } = this.exports);
    }
  };
  channel.onmessage = () => channel.postMessage(memory?.buffer.byteLength ?? null);
}
