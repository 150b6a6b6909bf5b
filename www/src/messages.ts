/**
 * What the page and the worker say to each other: every message is one member of {@link ToWorker} or
 * {@link ToPage}, and nothing else is ever posted.
 *
 * One worker serves all joins of a page. `join` numbers a join, `id` a question, `peer` a connection of a join;
 * the page chooses joins and ids, the worker's core chooses peers. Every question (`join`, `load`, `stats`,
 * `segments`, `leave`) gets exactly one `answer` or `failed` with its id; a cancelled load is answered with
 * `failed` code `aborted`. Times that cross are durations, because the two threads have different time origins.
 */

/** What the core may do with other viewers right now: nothing, receive only, or both ways. */
export type Sharing = 'off' | 'receive' | 'on';

/** Both bounds are inclusive, as in an HTTP Range header. */
export interface ByteRange {
  first: number;
  last: number;
}

/** What is enforced now: the page's policy after consent, connection type, battery and page life are counted in. */
export interface EffectivePolicy {
  sharing: Sharing;
  /** Upload cap in bits per second; null: none. */
  uploadBps: number | null;
  /** Upload budget in bytes for this join; null: none. */
  uploadBytes: number | null;
}

/** What the core has seen of earlier manifests; entries may say more than the page looks at. */
export interface RollbackMemory {
  /** The newest version of each publisher's content. */
  seen: readonly { publisher: string; content: string; version: number }[];
  /** The content first seen at each manifest URL. */
  pins: readonly { source: string; content: string }[];
}

export interface JoinRequest {
  /** Absolute URL, already checked for its transport. The content's base is its folder. */
  manifest: string;
  /** Expected content id; null: the one pinned in the memory, or any. */
  content: string | null;
  /** Publisher keys, `ed25519:…`. */
  trust: readonly string[];
  /** Absolute ws(s) URL, or null: a verifying HTTP client. Null too where the page has no RTCPeerConnection. */
  tracker: string | null;
  trackerKeys: readonly string[];
  policy: EffectivePolicy;
  maxStoreBytes: number;
  /** Whether the page wants to rewrite requests: the worker then sends `http-request` before each fetch. */
  asksBeforeHttp: boolean;
  memory: RollbackMemory | null;
  /** The manifest's file, if the page has fetched it. */
  sealed?: Blob | null;
  /** The last `head_taken` of this content on an earlier visit; null: none, or the content is not named. */
  head: unknown;
}

export interface Joined {
  content: string;
  version: number;
  /** Unix time in seconds. */
  expires: number;
  memory: RollbackMemory;
}

export interface LoadRequest {
  /** Absolute URL. The worker strips the content's base; the core matches the rest. */
  url: string;
  range: ByteRange | null;
  /** Milliseconds from now by which the bytes are needed; null: as soon as possible. */
  deadlineMs: number | null;
  /** Where it plays on the player's own timeline, in seconds. */
  playsAt?: number | undefined;
}

/** When what happened, in milliseconds after the load reached the engine. */
export interface LoadTiming {
  /** The engine started to fetch; what lies before is waiting by choice. */
  startedMs: number;
  firstByteMs: number;
  doneMs: number;
  /** How long the bytes really took to arrive, also if that was before they were asked for. */
  transferMs: number;
}

export interface Loaded {
  body: ArrayBuffer;
  /** From the signed manifest. */
  mediaType: string;
  fromPeers: number;
  fromHttp: number;
  timing: LoadTiming;
}

/** Where the player is, in seconds of media time. */
export interface PlayerState {
  position: number;
  rate: number;
  bufferedEnd: number;
  paused: boolean;
  seeking: boolean;
}

export interface Failure {
  /** Stable snake_case code. */
  code: string;
  /** What is wrong and what to do about it, for a developer. */
  message: string;
}

export interface HttpRequest {
  url: string;
  headers: Record<string, string>;
  credentials: RequestCredentials | null;
}

/** Index into the negotiated channels of a connection: 0 control, 1 data. */
export type ChannelId = 0 | 1;

export type ToWorker =
  /** Once. `core` is what lies at `wasm`, an absolute URL; null if the page could not fetch it. */
  | { type: 'start'; wasm: string; core: Blob | null }
  /** Answered with `pong` at once: a worker that stays silent is replaced. */
  | { type: 'ping' }
  | { type: 'join'; join: number; id: number; request: JoinRequest }
  | { type: 'leave'; join: number; id: number }
  | { type: 'load'; join: number; id: number; request: LoadRequest }
  | { type: 'cancel'; join: number; id: number }
  | { type: 'stats'; join: number; id: number }
  | { type: 'segments'; join: number; id: number }
  | { type: 'player'; join: number; state: PlayerState }
  | { type: 'policy'; join: number; policy: EffectivePolicy }
  | { type: 'http-request-made'; join: number; id: number; request: HttpRequest }
  | { type: 'http-request-refused'; join: number; id: number; message: string }
  /** Both channels, transferred, still connecting. */
  | { type: 'channels'; join: number; peer: number; control: RTCDataChannel; data: RTCDataChannel }
  | { type: 'local-description'; join: number; peer: number; sdp: string }
  | { type: 'local-candidate'; join: number; peer: number; line: string }
  | { type: 'local-candidates-end'; join: number; peer: number }
  | { type: 'peer-failed'; join: number; peer: number; code: PeerFailureCode }
  /** The relay, where a channel cannot be transferred: its events, and its payload as transferred buffers. */
  | { type: 'relay-opened'; join: number; peer: number; channel: ChannelId }
  | { type: 'relay-message'; join: number; peer: number; channel: ChannelId; data: ArrayBuffer }
  | { type: 'relay-buffered'; join: number; peer: number; channel: ChannelId; amount: number }
  | { type: 'relay-closed'; join: number; peer: number; channel: ChannelId };

export type ToPage =
  | { type: 'pong' }
  /** The core panicked. Nothing more comes from this worker; the page replaces it. */
  | { type: 'poisoned'; message: string }
  | { type: 'answer'; join: number; id: number; body: Joined | Loaded | EngineStats | SegmentStats[] | null }
  | { type: 'failed'; join: number; id: number; failure: Failure }
  | { type: 'event'; join: number; event: EngineEvent }
  /** Something the page should keep: after a newer manifest was verified. */
  | { type: 'remember'; join: number; memory: RollbackMemory }
  | { type: 'http-request'; join: number; id: number; url: string }
  /** Make a connection; `offer` says which side starts. Only now does an RTCPeerConnection come into being. */
  | {
      type: 'dial';
      join: number;
      peer: number;
      offer: boolean;
      iceServers: RTCIceServer[];
      relayOnly: boolean;
    }
  | { type: 'remote-description'; join: number; peer: number; offer: boolean; sdp: string }
  | { type: 'remote-candidate'; join: number; peer: number; line: string }
  | { type: 'close'; join: number; peer: number }
  | { type: 'relay-send'; join: number; peer: number; channel: ChannelId; data: ArrayBuffer };

/** Why a connection could not be made or did not last, as far as the browser says. */
export type PeerFailureCode =
  | 'no_webrtc'
  | 'description_refused'
  | 'candidate_refused'
  | 'ice_failed'
  | 'dtls_failed'
  | 'connection_lost';

/** Why bytes came over HTTP. */
export type HttpReason =
  'peers_off' | 'startup' | 'elected' | 'nobody_has' | 'deadline' | 'peer_failed' | 'asset';

/** Bytes by source. */
export interface Traffic {
  fromPeers: number;
  fromHttp: number;
  toPeers: number;
  /** Shown to the tracker, which asks for chunks before it names this peer as a source. */
  toTracker: number;
  wasted: number;
  rejected: number;
}

export interface PeerStats {
  peer: number;
  handle: string;
  state: 'connecting' | 'proving' | 'ready';
  received: number;
  sent: number;
  /** Bytes per second. */
  rate: number;
  rttUs: number;
  segments: number;
}

export interface TrackStats {
  id: number;
  kind: 'video' | 'audio' | 'text' | 'files';
  mediaType: string;
  bitrate: number | null;
  segments: number;
}

/** A live content, as far as its signed heads tell. */
export interface LiveStats {
  state: 'waiting' | 'live' | 'frozen' | 'ended';
  session: number;
  sequence: number;
  /** Where the newest segment ends, in microseconds of media time. */
  edgeUs: number | null;
  /** How far behind that the play head is. */
  latencyUs: number | null;
  /** Requests to the origin for the newest head. */
  polls: number;
  headsFromPeers: number;
  headsFromHttp: number;
  headsRefused: number;
}

/** The core's own statistics: its names, in camelCase. */
export interface EngineStats {
  /** null: not a live content. */
  live: LiveStats | null;
  traffic: Traffic;
  media: Traffic;
  peers: PeerStats[];
  connectionsMade: number;
  connectionsProved: number;
  /** Why pairs failed: code and count. */
  failures: [code: string, count: number][];
  httpReasons: [reason: HttpReason, count: number][];
  blamed: number;
  tracker: 'off' | 'connecting' | 'joined';
  handle: string | null;
  storeBytes: number;
  storeLimit: number;
  uploadBps: number | null;
  uploadBytesLeft: number | null;
  /** Bytes per second; 0 while unknown. */
  httpRate: number;
  demands: number;
  tracks: TrackStats[];
}

/** One object that is wanted, arriving or held. Track 0 holds the assets. */
export interface SegmentStats {
  track: number;
  index: number;
  startUs: number;
  durationUs: number;
  chunks: number;
  verified: number;
  fromPeers: number;
  fromHttp: number;
  httpReason: HttpReason | null;
}

/** What the core reports: its names, fields in camelCase. */
export type EngineEvent =
  | { type: 'tracker_joined'; handle: string }
  | { type: 'tracker_lost'; code: string }
  | { type: 'tracker_refused'; code: string }
  | { type: 'peer_connected'; peer: number; handle: string }
  | { type: 'peer_lost'; peer: number; handle: string; code: string }
  | {
      type: 'peer_blamed';
      peer: number;
      handle: string;
      code: string;
      track: number | null;
      index: number | null;
      chunk: number | null;
    }
  | { type: 'source_blamed'; path: string; track: number; index: number; chunk: number | null }
  | {
      type: 'object_done';
      track: number;
      index: number;
      bytes: number;
      fromPeers: number;
      fromHttp: number;
      httpReason: HttpReason | null;
    }
  /** A signed live head was taken: new segments are known. */
  | {
      type: 'head_taken';
      session: number;
      log: number;
      sequence: number;
      issuedMs: number;
      hash: string;
      fromPeer: boolean;
    }
  /** A live head was refused; `peer` brought it, or else the origin. */
  | { type: 'head_refused'; code: string; peer: number | null }
  /** Two signed objects, base64url, of which only one can be true. */
  | { type: 'publisher_contradicted'; kind: 'session' | 'sequence' | 'log'; first: string; second: string }
  /** No head has brought new media for three target durations. */
  | { type: 'live_frozen' }
  | { type: 'live_resumed' }
  /** The publisher has lost its state and begun other logs. */
  | { type: 'live_restarted' }
  /** The publisher has signed the end; everything stays playable. */
  | { type: 'live_ended' }
  /** Live: the device's clock is wrong by the tracker's, which is used instead. No play fails for it. Unix seconds. */
  | { type: 'clock_off'; deviceS: number; trackerS: number }
  | { type: 'object_evicted'; track: number; index: number }
  | { type: 'warning'; code: string; message: string };
