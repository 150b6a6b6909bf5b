// A bare viewer for measured runs and tests: the built package, hls.js, and an account of everything that the player got.
// It is steered by its URL (see `options`) and read through `window.__viewer`.

import { Playback } from './playback.mjs';
import { recording } from './recording.mjs';

// Above what waits for the first time: a module's constants exist only once it has come to them.
const EVENTS = [
  'peer-connected',
  'peer-lost',
  'peer-blamed',
  'source-blamed',
  'object-done',
  'head-refused',
  'publisher-contradicted',
  'live-frozen',
  'live-resumed',
  'live-restarted',
  'live-ended',
  'clock-off',
  'warning',
  'worker-replaced',
  'error',
];
const EVENTS_KEPT = 5000;
const PARSE_ERRORS = new Set([
  'fragParsingError',
  'manifestParsingError',
  'levelParsingError',
  'bufferAppendError',
  'bufferAppendingError',
]);

const options = readOptions(new URL(location.href).searchParams);
if (options.clockSkewMs !== 0) {
  window.skewClock(options.clockSkewMs);
}
if (!options.webrtc) {
  delete window.RTCPeerConnection;
}

const video = document.querySelector('video');
const playback = new Playback(video);
const record = {
  loads: [],
  parseErrors: 0,
  errors: [],
  events: [],
  levels: [],
  connectionsMade: 0,
  candidates: [],
};
let peer = null;
let hls = null;

window.__viewer = {
  record,
  video,
  options,
  get peer() {
    return peer;
  },
  get hls() {
    return hls;
  },
  /** Everything a runner needs, in one plain object. */
  async metrics() {
    const stats = peer === null ? null : await peer.stats();
    return {
      ...playback.metrics(),
      latencySeconds: latencySeconds(),
      parseErrors: record.parseErrors,
      errors: record.errors,
      connectionsMade: record.connectionsMade,
      bytes: {
        peers: stats?.media.fromPeers ?? 0,
        http: stats?.media.fromHttp ?? 0,
        uploaded: stats?.traffic.toPeers ?? 0,
        shown: stats?.traffic.toTracker ?? 0,
      },
      peers: stats?.peers.filter(({ state }) => state === 'ready').length ?? 0,
      handle: stats?.handle ?? null,
      stats,
    };
  },
  /** Waits for the hashes of what has been delivered so far; each load is {url, range, length, sha256}. */
  async loads() {
    return Promise.all(record.loads.map(async (load) => ({ ...load, sha256: await load.sha256 })));
  },
  seek: (seconds) => playback.seek(seconds),
};

try {
  await play();
} catch (error) {
  record.errors.push({ code: error.code ?? 'start_failed', message: String(error.message ?? error) });
}

async function play() {
  countConnections();
  const { default: Hls } = await import('hls.js');
  const config = {
    maxBufferLength: options.buffer,
    maxMaxBufferLength: options.buffer,
    enableWorker: options.playerWorker,
    startPosition: options.start,
    startFragPrefetch: false,
  };
  if (options.swarmseal) {
    const [{ join }, { hlsConfig }] = await Promise.all([import('swarmseal'), import('swarmseal/hls')]);
    peer = await join(joinOptions());
    for (const type of EVENTS) {
      peer.on(type, (detail) => remember(type, detail));
    }
    const { loader, fLoader, pLoader } = hlsConfig(peer);
    Object.assign(config, {
      loader,
      fLoader: recording(fLoader ?? loader, record),
      pLoader: recording(pLoader ?? loader, record),
    });
  } else {
    config.loader = recording(Hls.DefaultConfig.loader, record);
  }
  hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, error }) => {
    record.errors.push({
      code: details,
      fatal,
      message: String(error?.message ?? ''),
      at: performance.now(),
    });
    if (PARSE_ERRORS.has(details) || type === Hls.ErrorTypes.MUX_ERROR) {
      record.parseErrors += 1;
    }
  });
  hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => record.levels.push({ level, at: performance.now() }));
  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => pinLevel(levels));
  peer?.attach(hls);
  hls.loadSource(options.source);
  hls.attachMedia(video);
  await video.play();
}

/** How long ago what is on the screen was, by the times in the playlist; null where it has none. */
function latencySeconds() {
  const date = hls?.playingDate ?? null;
  return date === null ? null : (Date.now() - date.getTime()) / 1000;
}

function joinOptions() {
  const {
    manifest,
    content,
    live,
    tracker,
    trackerKey,
    trust,
    share,
    assets,
    token,
    storeBytes,
    uploadKbps,
  } = options;
  return {
    manifest,
    live,
    trust: [trust],
    policy: { share, ...(uploadKbps === null ? {} : { uploadKbps }) },
    ...(content === null ? {} : { content }),
    ...(tracker === null ? {} : { tracker }),
    ...(trackerKey === null ? {} : { trackerKeys: [trackerKey] }),
    ...(assets === null ? {} : { assets }),
    ...(storeBytes === null ? {} : { store: { maxBytes: storeBytes } }),
    ...(token === null ? {} : { http: { request: (url) => ({ url: withToken(url, token) }) } }),
  };
}

function withToken(url, token) {
  const changed = new URL(url, location.href);
  changed.searchParams.set('token', token);
  return changed.href;
}

function pinLevel(levels) {
  if (options.height === null) {
    return;
  }
  const level = levels.findIndex(({ height }) => height === options.height);
  if (level === -1) {
    record.errors.push({
      code: 'no_such_rendition',
      fatal: true,
      message: `no rendition is ${options.height} high`,
    });
    return;
  }
  hls.startLevel = level;
  hls.loadLevel = level;
  hls.nextLevel = level;
}

function remember(type, detail) {
  record.events.push({ type, at: performance.now(), ...detail });
  if (record.events.length > EVENTS_KEPT) {
    record.events.shift();
  }
}

// Counted below the package, where no bookkeeping of its own can be wrong.
function countConnections() {
  const Original = window.RTCPeerConnection;
  if (Original === undefined) {
    return;
  }
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      record.connectionsMade += 1;
    }

    addIceCandidate(candidate) {
      record.candidates.push(candidate.candidate);
      return super.addIceCandidate(candidate);
    }
  };
}

function readOptions(parameters) {
  const text = (name) => parameters.get(name);
  const number = (name, otherwise) => (parameters.has(name) ? Number(parameters.get(name)) : otherwise);
  const base = new URL(text('base') ?? '/content/', location.href);
  return {
    source: new URL(text('source') ?? 'master.m3u8', base).href,
    manifest: new URL(text('manifest') ?? 'content.seal', base).href,
    content: text('content'),
    live: text('live') === 'on',
    tracker: text('tracker'),
    trackerKey: text('trackerKey'),
    trust: text('trust'),
    share: text('share') ?? 'on',
    buffer: number('buffer', 12),
    start: number('start', -1),
    height: number('height', null),
    storeBytes: number('store', null),
    uploadKbps: number('upload', null),
    token: text('token'),
    swarmseal: text('swarmseal') !== 'off',
    playerWorker: text('playerWorker') !== 'off',
    webrtc: text('webrtc') !== 'off',
    clockSkewMs: number('skew', 0),
    assets: text('worker') === null ? null : { worker: new URL(text('worker'), location.href).href },
  };
}
