import { Memory } from './memory.js';
import { absolute, checkOptions, type JoinOptions } from './options.js';
import { Peer, PeerSeat } from './peer.js';
import { refuseInsecure } from './secure-transport.js';
import { WorkerLink } from './worker-link.js';

/** `join`, with the places where the worker's script and the cores lie if the page does not say. */
export function joinWith(beside: { worker: URL; wasm: URL; liveWasm: URL }) {
  return async function join(options: JoinOptions): Promise<Peer> {
    const checked = checkOptions(options);
    const { worker, wasm, liveWasm } = { ...beside, ...options.assets };
    const assets = [
      absolute('assets.worker', worker),
      absolute('assets.wasm', options.live ? liveWasm : wasm),
    ] as const;
    // What a bundler has inlined (data:, blob:) comes with the page.
    for (const asset of assets) if (asset.protocol === 'http:') refuseInsecure(asset);
    const seat = new PeerSeat(checked, WorkerLink.to(...assets), new Memory(options.memory));
    const peer = new Peer(seat);
    await seat.enter(options.signal);
    return peer;
  };
}
