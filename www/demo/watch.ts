/** Looks at peer and player a few times a second and puts what it sees into a scene. */

import Hls from 'hls.js';
import type { LiveStats, Peer, SharingState, Traffic } from '../src/index.js';
import type { Live, Scene, Sharing, Totals, Track } from './scene.js';
import type { Tracks } from './tracks.js';

export class Watch {
  readonly #peer: Peer;
  readonly #video: HTMLVideoElement;
  readonly #tracks: Tracks;
  /** How far the player's timeline is ahead of the one that is shown, seconds. */
  aheadS = 0;
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
    const playheadS = this.#playheadS(stats.live);
    const [fromS, toS] = this.#shown(stats.live);
    this.#tracks.update(stats.tracks, segments);
    const tracks = this.#tracks.scene(fromS, toS);
    return {
      atMs,
      playheadS,
      fromS,
      durationS: toS - fromS,
      live: stats.live && liveOf(stats.live, tracks),
      tracks,
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

  /** A live player has a timeline of its own; how far it is from the newest segment is known on the other one. */
  #playheadS(live: LiveStats | null): number {
    const here = this.#video.currentTime;
    if (live?.edgeUs != null && live.latencyUs !== null) {
      this.aheadS = here - (live.edgeUs - live.latencyUs) / 1e6;
    }
    return here - this.aheadS;
  }

  /** All of a title, the last minute of a live stream. */
  #shown(live: LiveStats | null): [fromS: number, toS: number] {
    if (!live) return [0, Number.isFinite(this.#video.duration) ? this.#video.duration : 0];
    const edgeS = (live.edgeUs ?? 0) / 1e6;
    return [Math.max(0, edgeS - LIVE_WINDOW_S), edgeS];
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
    hls.on(Hls.Events.FRAG_LOADED, (_, { frag, part }) => {
      // A part is not asked for twice: what lies behind comes as whole segments.
      const object = part ? null : this.#tracks.objectOf(frag);
      if (!object) return;
      const key = `${object.track}/${object.index}`;
      if (delivered.has(key)) this.#fromStore += frag.stats.loaded;
      delivered.add(key);
    });
  }
}

function liveOf(stats: LiveStats, tracks: readonly Track[]): Live {
  const playing = tracks.filter((track) => track.playing && track.kind === 'video');
  const whole = playing.flatMap((track) => track.segments).filter((each) => each.state === 'verified');
  const fetchedHere = whole.filter((each) => each.fromHttp > 0).length;
  return {
    state: stats.state,
    latencyS: stats.latencyUs === null ? null : stats.latencyUs / 1e6,
    fetchedHere,
    fetchedByOthers: whole.length - fetchedHere,
    headsFromPeers: stats.headsFromPeers,
    headsFromHttp: stats.headsFromHttp,
  };
}

function sharingOf(sharing: SharingState): Sharing {
  if (sharing.share === 'ask' && !sharing.consent) return { state: 'ask', why: null };
  if (sharing.share === 'off') return { state: 'off', why: null };
  if (sharing.effective === 'on') return { state: 'on', why: null };
  return { state: 'paused', why: sharing.limits[0] ?? null };
}

const INTERVAL_MS = 250;
const LIVE_WINDOW_S = 60;
// Bytes a second; less is what is left of an average.
const QUIET = 100;
const UPLINK_WINDOW_MS = 2_000;
