/** Looks at peer and player a few times a second and puts what it sees into a scene. */

import Hls from 'hls.js';
import type { Peer, SharingState, Traffic } from '../src/index.js';
import type { Scene, Sharing, Totals } from './scene.js';
import type { Tracks } from './tracks.js';

export class Watch {
  readonly #peer: Peer;
  readonly #video: HTMLVideoElement;
  readonly #tracks: Tracks;
  #fromStore = 0;
  #uplink = 0;
  #last: { atMs: number; given: number } | null = null;

  constructor(peer: Peer, hls: Hls, video: HTMLVideoElement, tracks: Tracks) {
    this.#peer = peer;
    this.#video = video;
    this.#tracks = tracks;
    this.#countRepeats(hls);
  }

  /** Calls `show` with one scene after another; ends with the peer's own error when it has left. */
  async run(show: (scene: Scene) => void): Promise<void> {
    for (;;) {
      show(await this.look());
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  async look(): Promise<Scene> {
    const [stats, segments] = await Promise.all([this.#peer.stats(), this.#peer.segments()]);
    const atMs = performance.now();
    const durationS = Number.isFinite(this.#video.duration) ? this.#video.duration : 0;
    this.#tracks.update(stats.tracks, segments);
    return {
      atMs,
      playheadS: this.#video.currentTime,
      durationS,
      tracks: this.#tracks.scene(durationS),
      viewers: stats.peers.map((peer) => ({
        handle: peer.handle,
        state: peer.state,
        holds: peer.segments,
        received: peer.received,
        given: peer.sent,
        roundTripMs: peer.rttUs > 0 ? Math.max(1, Math.round(peer.rttUs / 1000)) : null,
      })),
      tracker: stats.tracker === 'off' ? 'alone' : stats.tracker,
      sharing: sharingOf(stats.sharing),
      totals: this.#totals(stats.traffic),
      uplink: this.#uplinkAt(atMs, stats.traffic.toPeers, stats.peers.length === 0),
      uplinkCap: stats.uploadBps,
      reasons: stats.httpReasons,
    };
  }

  #totals(traffic: Traffic): Totals {
    return {
      fromPeers: traffic.fromPeers,
      fromHttp: traffic.fromHttp,
      fromStore: this.#fromStore,
      given: traffic.toPeers,
      rejected: traffic.rejected,
    };
  }

  #uplinkAt(atMs: number, given: number, alone: boolean): number {
    if (alone) this.#uplink = 0;
    const elapsedMs = this.#last ? atMs - this.#last.atMs : 0;
    if (this.#last && elapsedMs > 0) {
      const now = ((given - this.#last.given) * 1000) / elapsedMs;
      this.#uplink += (now - this.#uplink) * Math.min(1, elapsedMs / UPLINK_WINDOW_MS);
    }
    this.#last = { atMs, given };
    return this.#uplink < QUIET ? 0 : this.#uplink;
  }

  /** What the player asks for a second time, with nothing let go in between, comes from our own memory. */
  #countRepeats(hls: Hls): void {
    const delivered = new Set<string>();
    this.#peer.on('object-evicted', ({ track, index }) => delivered.delete(`${track}/${index}`));
    hls.on(Hls.Events.FRAG_LOADED, (_, { frag }) => {
      const object = this.#tracks.objectOf(frag);
      if (!object) return;
      const key = `${object.track}/${object.index}`;
      if (delivered.has(key)) this.#fromStore += frag.stats.loaded;
      delivered.add(key);
    });
  }
}

function sharingOf(sharing: SharingState): Sharing {
  if (sharing.share === 'ask' && !sharing.consent) return { state: 'ask', why: null };
  if (sharing.share === 'off') return { state: 'off', why: null };
  if (sharing.effective === 'on') return { state: 'on', why: null };
  return { state: 'paused', why: sharing.limits[0] ?? null };
}

const INTERVAL_MS = 250;
// Bytes a second; less is what is left of an average.
const QUIET = 100;
const UPLINK_WINDOW_MS = 2_000;
