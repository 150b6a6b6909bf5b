import type { Peer } from '../../core/core.js';

/** The configuration of one join, as `src/wasm/config.rs` reads it. */
export interface CoreConfig {
  manifestUrl: string;
  content: string | null;
  trust: readonly string[];
  trackerKeys: readonly string[];
  tracker: boolean;
  allowLoopback: boolean;
  policy: { sharing: string; uploadBps: number | null; uploadBytes: number | null };
  storeBytes: number;
  unixMs: number;
  memory: unknown;
  /** The newest head of an earlier visit, as its `head_taken` event said; for the core that follows live contents. */
  liveMemory?: unknown;
}

/** The wasm module, as the worker's parts see it; one for all joins. */
export interface Core {
  readonly memory: WebAssembly.Memory;
  readonly maxTrackerText: number;
  /** Length of the head of a message on the data channel. */
  readonly dataHead: number;
  open(config: CoreConfig, sealed: Uint8Array, now: number): Peer;
  /**
   * Judges what a call into the core threw. A refusal has a stable code and is returned; anything else leaves the core
   * in an unknown state: the page is told, every join is closed, and the answer is null.
   */
  judge(error: unknown): CoreRefusal | null;
}

/** An error that the core made itself. */
export interface CoreRefusal {
  code: string;
  message: string;
}

export function isRefusal(error: unknown): error is CoreRefusal {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** Copies `bytes` into the core, for the input that follows at once. */
export function intoInbox(core: Core, peer: Peer, bytes: Uint8Array): void {
  const at = peer.inbox(bytes.length);
  // The memory's buffer is another one after it has grown: never kept.
  new Uint8Array(core.memory.buffer, at, bytes.length).set(bytes);
}

/** A copy of the last batch; what lies in the core is only there until the next call. */
export function fromOutbox(core: Core, peer: Peer, length: number): Uint8Array<ArrayBuffer> {
  const batch = new Uint8Array(length);
  batch.set(new Uint8Array(core.memory.buffer, peer.outbox(), length));
  return batch;
}
