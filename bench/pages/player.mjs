// One viewer of a stream: hls.js as its own documentation loads it (the UMD build, with its worker), and what `contender`
// in the page's address puts into it. Everything is at its default unless the address says otherwise.

import { Playback } from '/viewer/playback.mjs';
import { recording } from '/viewer/recording.mjs';

const PARSE_ERRORS = new Set([
  'fragParsingError',
  'manifestParsingError',
  'levelParsingError',
  'bufferAppendError',
  'bufferAppendingError',
]);

const FIRST_BYTE_POLL_MS = 100;
const LATENCY_EVERY_MS = 500;
/** A player finds its place behind the live edge in this time. */
const SETTLED_MS = 10_000;
/** Tells this page from others of its origin. */
const PAGE = crypto.randomUUID();

const parameters = new URL(location.href).searchParams;
const text = (name) => parameters.get(name) ?? undefined;
const source = new URL(text('source'), location.href).href;
const { Hls } = window;

const video = document.querySelector('video');
const playback = new Playback(video);
const record = { loads: [] };
const errors = [];
/** {url, length} of every segment that the player was given. */
const loaded = [];
const peers = { firstByteMs: null, blamed: 0 };
/** Seconds that what is on the screen is behind the time at which the encoder made it, twice a second once playing. */
const latencies = [];
let parseErrors = 0;
let player;
let wasmBytes = () => null;

/** Each makes the constructor and the options of hls.js, and follows the player it is given. */
const CONTENDERS = { 'hls.js': plain, 'p2p-media-loader': p2pMediaLoader, swarmseal };

window.__bench = {
  async metrics() {
    return {
      ...playback.metrics(),
      parseErrors,
      errors,
      loaded,
      peers,
      wire: await window.__wire.totals(),
      latencyS: middle(latencies),
      heapBytes: performance.memory?.usedJSHeapSize ?? null,
    };
  },
  /** Bytes of the core's memory; null where there is none, or nobody asked for them to be read. */
  wasmBytes: async () => wasmBytes(),
  /** From the next segment on. */
  switchTo(level) {
    player.nextLevel = level;
  },
  loads: () => Promise.all(record.loads.map(async (load) => ({ ...load, sha256: await load.sha256 }))),
};

try {
  const { Player = Hls, config = {}, follow } = await CONTENDERS[text('contender')]();
  const hls = new Player({ ...config, ...playerOptions() });
  player = hls;
  watch(hls);
  follow?.(hls);
  hls.loadSource(source);
  hls.attachMedia(video);
  if (text('live') !== undefined) {
    setInterval(() => lookBehind(hls), LATENCY_EVERY_MS);
  }
  await video.play();
} catch (error) {
  failed(error);
}

/** By the times in the playlist, which are the same for every contender. */
function lookBehind({ playingDate }) {
  const { firstFrameMs } = playback.metrics();
  if (playingDate !== null && firstFrameMs !== null && performance.now() > firstFrameMs + SETTLED_MS) {
    latencies.push((Date.now() - playingDate.getTime()) / 1000);
  }
}

function middle(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}

function plain() {
  return {};
}

async function p2pMediaLoader() {
  if (text('fault') !== undefined) {
    window.breakSending(text('fault'));
  }
  const { HlsJsP2PEngine } = await import('p2p-media-loader-hlsjs');
  const core = { announceTrackers: [text('tracker')], rtcConfig: { iceServers: [] } };
  return {
    Player: HlsJsP2PEngine.injectMixin(Hls),
    config: {
      p2p: {
        core,
        onHlsJsCreated(hls) {
          hls.p2pEngine.addEventListener('onChunkDownloaded', (bytes, from) => {
            if (from === 'p2p') {
              peers.firstByteMs ??= performance.now();
            }
          });
        },
      },
    },
  };
}

async function swarmseal() {
  const [{ join }, { hlsConfig }] = await Promise.all([import('swarmseal'), import('swarmseal/hls')]);
  const worker = new URL('/bench/worker.js', location.href);
  for (const name of ['fault', 'probe']) {
    if (text(name) !== undefined) {
      worker.searchParams.set(name, text(name));
    }
  }
  if (text('probe') !== undefined) {
    wasmBytes = probed(text('probe'));
    worker.searchParams.set('page', PAGE);
  }
  const joining = join({
    manifest: text('manifest'),
    content: text('content'),
    trust: [text('trust')],
    tracker: text('tracker'),
    trackerKeys: [text('trackerKey')],
    policy: { share: 'on' },
    ...(text('live') === undefined ? {} : { live: true }),
    ...(worker.search === '' ? {} : { assets: { worker: worker.href } }),
  });
  return { config: hlsConfig(joining), follow: (hls) => joining.then((peer) => followed(peer, hls), failed) };
}

function followed(peer, hls) {
  peer.attach(hls);
  peer.on('peer-blamed', () => (peers.blamed += 1));
  if (text('firstByte') === undefined) {
    return;
  }
  const poll = setInterval(async () => {
    const { media } = await peer.stats();
    if (media.fromPeers > 0) {
      peers.firstByteMs ??= performance.now();
      clearInterval(poll);
    }
  }, FIRST_BYTE_POLL_MS);
}

function failed(error) {
  errors.push({ code: error.code ?? 'start_failed', message: String(error.message ?? error), fatal: true });
}

/** Asks the worker, whose probe answers to this page alone. */
function probed(name) {
  const channel = new BroadcastChannel(`${name} ${PAGE}`);
  return () =>
    new Promise((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
      channel.postMessage(null);
    });
}

function playerOptions() {
  return {
    ...(text('backBuffer') === undefined ? {} : { backBufferLength: Number(text('backBuffer')) }),
    ...(text('level') === undefined ? {} : { startLevel: Number(text('level')) }),
    ...(text('liveSync') === undefined ? {} : { liveSyncDurationCount: Number(text('liveSync')) }),
    ...(text('playerWorker') === 'off' ? { enableWorker: false } : {}),
    ...(text('buffer') === undefined
      ? {}
      : { maxBufferLength: Number(text('buffer')), maxMaxBufferLength: Number(text('buffer')) }),
  };
}

function watch(hls) {
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, error }) => {
    errors.push({ code: details, fatal, message: String(error?.message ?? '') });
    if (PARSE_ERRORS.has(details) || type === Hls.ErrorTypes.MUX_ERROR) {
      parseErrors += 1;
    }
  });
  const Loader = counting(hls.config.fLoader ?? hls.config.loader);
  hls.config.fLoader = text('check') === 'on' ? recording(Loader, record) : Loader;
}

/** Counts what the player is given, before it hands the bytes over to its worker. */
function counting(Loader) {
  return class extends Loader {
    load(context, config, callbacks) {
      super.load(context, config, {
        ...callbacks,
        onSuccess: (response, ...rest) => {
          loaded.push({ url: context.url, length: response.data.byteLength });
          callbacks.onSuccess(response, ...rest);
        },
      });
    }
  };
}
