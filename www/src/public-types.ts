export type { ConnectionState } from './connections.js';
export type {
  ByteRange,
  EngineStats,
  HttpReason,
  LiveStats,
  LoadTiming,
  PeerStats,
  SegmentStats,
  Sharing,
  TrackStats,
  Traffic,
} from './messages.js';
export type { Assets, HttpChange, JoinOptions, Policy } from './options.js';
export type { LoadOptions, LoadResult, Peer, PeerEvents, Stats } from './peer.js';
export type { Player } from './playhead.js';
export type { Limit, SharingState } from './sharing.js';
