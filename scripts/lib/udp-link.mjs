// A model link between two WebRTC connections, in user space and without privileges: each side is told of an address of
// ours, and what it sends there goes to the other side later, or not at all.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * `latencyMs` one way; `loss`, a share, in bursts of `burst` packets on average (Gilbert's model: all packets of a burst are
 * lost); `kbps` with a queue of `queueMs` before it, or no limit. Both ways alike.
 */
export async function openLink({ latencyMs = 0, loss = 0, burst = 1, kbps = null, queueMs = 200 } = {}) {
  const sides = [createSocket('udp4'), createSocket('udp4')];
  await Promise.all(
    sides.map(async (side) => {
      side.bind(0);
      await once(side, 'listening');
      side.setRecvBufferSize(4 << 20);
    }),
  );
  /** Where each side's own browser is. */
  const homes = [null, null];
  const ways = sides.map(() => new Way({ latencyMs, loss, burst, kbps, queueMs }));
  sides.forEach((side, from) => {
    const to = 1 - from;
    side.on('message', (packet, sender) => {
      homes[from] ??= { address: sender.address, port: sender.port };
      const home = homes[to];
      if (home !== null) ways[from].carry(packet, () => sides[to].send(packet, home.port, home.address));
    });
  });
  return {
    /** The description of side `from` as the other side is to hear it: with one candidate, which is this link. */
    disguise(from, sdp) {
      const lines = sdp.split('\r\n');
      const candidate = lines.find((line) => /^a=candidate:\S+ 1 udp \d+ [\d.]+ \d+ typ host/i.test(line));
      if (candidate === undefined) throw new Error('the browser found no IPv4 address of its own');
      const words = candidate.split(' ');
      homes[from] = { address: words[4], port: Number(words[5]) };
      words[5] = String(sides[1 - from].address().port);
      return lines
        .filter((line) => !line.startsWith('a=candidate:') || line === candidate)
        .map((line) => (line === candidate ? words.join(' ') : line))
        .join('\r\n');
    },
    close() {
      for (const way of ways) way.close();
      for (const side of sides) side.close();
    },
  };
}

/** One direction: what is on its way, in order. */
class Way {
  #options;
  #bad = false;
  #freeAt = 0;
  #due = [];
  #timer = undefined;

  constructor(options) {
    this.#options = options;
  }

  carry(packet, deliver) {
    const { latencyMs, kbps, queueMs } = this.#options;
    if (this.#loses()) return;
    const now = performance.now();
    let outAt = now;
    if (kbps !== null) {
      const starts = Math.max(now, this.#freeAt);
      if (starts - now > queueMs) return;
      // IP and UDP headers count too.
      outAt = starts + ((packet.length + 28) * 8) / kbps;
      this.#freeAt = outAt;
    }
    this.#due.push({ at: outAt + latencyMs, deliver });
    this.#plan();
  }

  close() {
    clearTimeout(this.#timer);
    this.#due = [];
  }

  #loses() {
    const { loss, burst } = this.#options;
    if (loss === 0) return false;
    const chance = this.#bad ? 1 - 1 / burst : loss / (burst * (1 - loss));
    this.#bad = Math.random() < chance;
    return this.#bad;
  }

  #plan() {
    if (this.#timer !== undefined || this.#due.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Half a millisecond early is as close as a timer of whole milliseconds comes.
      const now = performance.now() + 0.5;
      while (this.#due.length > 0 && this.#due[0].at <= now) this.#due.shift().deliver();
      this.#plan();
    }, this.#due[0].at - performance.now());
  }
}
