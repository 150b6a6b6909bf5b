/**
 * swarmseal for a page: `join` a content, `load` from it, leave. Everything heavy is in the worker; this side holds
 * what browsers allow only here, and decides nothing about the protocol.
 */
import { joinWith } from './join.js';

/** Joins a content: verifies its manifest and, as far as the policy allows, meets other viewers. */
export const join = joinWith({
  worker: new URL('./worker.js', import.meta.url),
  wasm: new URL('./core_bg.wasm', import.meta.url),
  liveWasm: new URL('./core-live_bg.wasm', import.meta.url),
});

export { SwarmsealError } from './errors.js';
export type * from './public-types.js';
