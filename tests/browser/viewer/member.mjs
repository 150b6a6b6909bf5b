// A page that joins and leaves as it is told to, and plays nothing: for encounters, of which many are wanted.

import { join } from 'swarmseal';

let peer = null;

window.__member = {
  async join(options) {
    peer = await join(options);
    const events = [];
    for (const type of ['peer-connected', 'peer-blamed', 'peer-lost', 'warning']) {
      peer.on(type, (detail) => events.push({ type, code: detail.code ?? null }));
    }
    window.__member.events = events;
  },
  async leave() {
    await peer?.leave();
    peer = null;
  },
  events: [],
};
