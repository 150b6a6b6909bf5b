/** What the page draws: one plain picture of the moment, so that no view knows where it came from. */

/** Everything on the page at one moment. Bytes are verified bytes unless said otherwise. */
export interface Scene {
  /** Monotonic time of this picture, milliseconds. */
  readonly atMs: number;
  /** Where it plays. Of a live stream, on the timeline of its media. */
  readonly playheadS: number;
  /** What is shown of the timeline begins here; 0 unless the stream is live. */
  readonly fromS: number;
  readonly durationS: number;
  /** Set for a live stream. */
  readonly live: Live | null;
  readonly tracks: readonly Track[];
  readonly viewers: readonly Viewer[];
  readonly tracker: Tracker;
  readonly sharing: Sharing;
  readonly totals: Totals;
  /** Bytes a second going out now. */
  readonly uplink: number;
  /** Bits a second, `null` without a cap. */
  readonly uplinkCap: number | null;
  /** Segments that came over HTTP, by the reason why. */
  readonly reasons: readonly (readonly [reason: string, segments: number])[];
}

/** A live stream, as its signed heads tell. */
export interface Live {
  readonly state: 'waiting' | 'live' | 'frozen' | 'ended';
  readonly latencyS: number | null;
  /** Of the segments on show that came completely: fetched from the origin by this viewer, or by another one. */
  readonly fetchedHere: number;
  readonly fetchedByOthers: number;
  readonly headsFromPeers: number;
  readonly headsFromHttp: number;
}

/** `alone` is a page without tracker or without WebRTC. */
export type Tracker = 'alone' | 'connecting' | 'joined';

/** `ask` waits for the viewer's answer; `paused` is on, but held back for now (see `why`). */
export interface Sharing {
  readonly state: 'ask' | 'on' | 'paused' | 'off';
  readonly why: string | null;
}

export interface Totals {
  readonly fromPeers: number;
  readonly fromHttp: number;
  /** Bytes given to the player again from what was already held. */
  readonly fromStore: number;
  readonly given: number;
  /** Bytes that did not match what was signed and went nowhere. */
  readonly rejected: number;
}

export interface Viewer {
  readonly handle: string;
  readonly state: 'connecting' | 'proving' | 'ready';
  /** Complete segments that it says it holds. */
  readonly holds: number;
  readonly received: number;
  readonly given: number;
  readonly roundTripMs: number | null;
}

export interface Track {
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'text' | 'files';
  readonly label: string;
  /** The player takes its segments from this one now. */
  readonly playing: boolean;
  /** Number of the first segment on show, from 0. */
  readonly first: number;
  readonly segments: readonly Segment[];
}

export type SegmentState = 'missing' | 'arriving' | 'verified' | 'evicted';

export interface Segment {
  readonly state: SegmentState;
  readonly startS: number;
  readonly durationS: number;
  /** Share of its chunks that are verified, 0 to 1. */
  readonly done: number;
  readonly chunks: number;
  readonly fromPeers: number;
  readonly fromHttp: number;
  readonly reason: string | null;
}

/** What the page can ask of the peer. */
export interface Controls {
  setSharing(on: boolean): void;
  /** Bits a second; `null` lifts the cap. */
  setUplinkCap(bps: number | null): void;
  consent(share: boolean): void;
  /** To a place on the timeline that is shown. */
  seek(seconds: number): void;
  toLiveEdge(): void;
}

/** Shares of a segment by source; both 0 while nothing of it is here. */
export function sourceShares(segment: Segment): { peers: number; http: number } {
  const bytes = segment.fromPeers + segment.fromHttp;
  if (bytes === 0) return { peers: 0, http: 0 };
  return { peers: segment.fromPeers / bytes, http: segment.fromHttp / bytes };
}
