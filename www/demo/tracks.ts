/** Which track of the content is which rendition of the player, and what is known of its segments. */

import type Hls from 'hls.js';
import type { Fragment } from 'hls.js';
import type { SegmentStats, TrackStats } from '../src/index.js';
import type { Segment, Track } from './scene.js';

export class Tracks {
  readonly #hls: Hls;
  #listed: readonly TrackStats[] = [];
  /** Per track, what was ever heard of a segment. */
  readonly #known = new Map<number, Map<number, Segment>>();

  constructor(hls: Hls) {
    this.#hls = hls;
  }

  /** Takes in what is held and under way now. What was held and is no longer named has been let go. */
  update(listed: readonly TrackStats[], segments: readonly SegmentStats[]): void {
    this.#listed = listed;
    const named = new Map<number, Set<number>>();
    for (const stats of segments) {
      const known = this.#known.get(stats.track) ?? new Map<number, Segment>();
      this.#known.set(stats.track, known.set(stats.index, segmentOf(stats)));
      const indexes = named.get(stats.track) ?? new Set<number>();
      named.set(stats.track, indexes.add(stats.index));
    }
    for (const [track, known] of this.#known) {
      for (const [index, segment] of known) {
        if (named.get(track)?.has(index)) continue;
        if (segment.state === 'verified') known.set(index, { ...segment, state: 'evicted', done: 0 });
        else if (segment.state === 'arriving') known.delete(index);
      }
    }
  }

  /** For the page: media only, pictures by size, then sound, then text. */
  scene(fromS: number, toS: number): Track[] {
    return [...this.#listed]
      .filter((track) => track.kind !== 'files')
      .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (b.bitrate ?? 0) - (a.bitrate ?? 0))
      .map((track) => {
        const first = Math.round((fromS / toS || 0) * track.segments);
        return {
          id: track.id,
          kind: track.kind,
          label: this.label(track.id),
          playing: this.#isPlaying(track),
          first,
          segments: this.#segments(track, first, toS),
        };
      });
  }

  label(id: number): string {
    const track = this.#listed.find((each) => each.id === id);
    if (!track) return `Track ${id}`;
    if (this.#isOfParts(track)) return 'Parts';
    const height = track.kind === 'video' ? this.#hls.levels[this.#level(track)]?.height : undefined;
    if (height) return `${height}p`;
    const alike = this.#listed.filter((each) => each.kind === track.kind && !this.#isOfParts(each));
    const name = KINDS[track.kind];
    return alike.length > 1 ? `${name} ${alike.indexOf(track) + 1}` : name;
  }

  /** The track and index of something that the player has fetched. */
  objectOf(fragment: Fragment): { track: number; index: number } | null {
    if (typeof fragment.sn !== 'number') return null;
    const kind: string = fragment.type;
    const main = kind === 'main';
    const details = main ? this.#hls.levels[fragment.level]?.details : null;
    const alike = this.#listed.filter((track) => track.kind === (main ? 'video' : 'audio'));
    const track = main ? alike.find((each) => this.#level(each) === fragment.level) : alike[0];
    return track ? { track: track.id, index: fragment.sn - (details?.startSN ?? 0) } : null;
  }

  /** From `first` on, the timeline ending at `toS`. */
  #segments(track: TrackStats, first: number, toS: number): Segment[] {
    const known = this.#known.get(track.id);
    const each = toS / track.segments;
    return Array.from(
      { length: track.segments - first },
      (_, place) =>
        known?.get(first + place) ?? { ...MISSING, startS: (first + place) * each, durationS: each },
    );
  }

  /** Low latency: the same rendition as another track, in more and shorter pieces. */
  #isOfParts(track: TrackStats): boolean {
    return this.#listed.some((other) => arePartsOf(track, other));
  }

  /** Levels and tracks list the same renditions: the nth by bit rate is the nth by bit rate. */
  #level(track: TrackStats): number {
    const rank = this.#listed
      .filter((each) => each.kind === 'video' && !this.#isOfParts(each))
      .sort((a, b) => (a.bitrate ?? 0) - (b.bitrate ?? 0))
      .findIndex((each) => each === track || (this.#isOfParts(track) && each.bitrate === track.bitrate));
    const byRate = this.#hls.levels.map((level, index) => ({ index, rate: level.bitrate }));
    return byRate.sort((a, b) => a.rate - b.rate)[rank]?.index ?? -1;
  }

  #isPlaying(track: TrackStats): boolean {
    if (this.#listed.some((other) => arePartsOf(other, track))) return false;
    if (track.kind === 'audio') return true;
    return track.kind === 'video' && this.#level(track) === Math.max(this.#hls.loadLevel, 0);
  }
}

function arePartsOf(parts: TrackStats, whole: TrackStats): boolean {
  return (
    parts.id !== whole.id &&
    parts.kind === whole.kind &&
    parts.bitrate === whole.bitrate &&
    parts.mediaType === whole.mediaType &&
    whole.segments < parts.segments / 2
  );
}

function segmentOf(stats: SegmentStats): Segment {
  const whole = stats.chunks > 0 && stats.verified >= stats.chunks;
  return {
    state: whole ? 'verified' : 'arriving',
    startS: stats.startUs / 1e6,
    durationS: stats.durationUs / 1e6,
    done: stats.chunks > 0 ? stats.verified / stats.chunks : 0,
    chunks: stats.chunks,
    fromPeers: stats.fromPeers,
    fromHttp: stats.fromHttp,
    reason: stats.fromHttp > 0 ? stats.httpReason : null,
  };
}

const MISSING: Segment = {
  state: 'missing',
  startS: 0,
  durationS: 0,
  done: 0,
  chunks: 0,
  fromPeers: 0,
  fromHttp: 0,
  reason: null,
};
const ORDER = ['video', 'audio', 'text', 'files'];
const KINDS = { video: 'Video', audio: 'Audio', text: 'Text', files: 'Files' } as const;
