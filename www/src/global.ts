/** The classic script: the same, as `swarmseal.join` and `swarmseal.hlsConfig`. */
import { SwarmsealError } from './errors.js';
import { joinWith } from './join.js';
import { hlsConfig } from './players/hls.js';

const script =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;

Object.assign(globalThis, {
  swarmseal: {
    join: joinWith({
      worker: new URL('worker.js', script),
      wasm: new URL('core_bg.wasm', script),
      liveWasm: new URL('core-live_bg.wasm', script),
    }),
    hlsConfig,
    SwarmsealError,
  },
});
