// One end of a file transfer. `role` in the page's address is `seed` or `leech`. A seed gets the file from the origin and says
// when it has it; a leech begins when it is told, with everything loaded that it needs, and ends when it holds every byte.

import { bareSeed, bareLeech } from './bare.mjs';

const POLL_MS = 20;
/** So long that the origin is not needed as long as peers deliver. */
const PATIENCE_MS = 600_000;

const parameters = new URL(location.href).searchParams;
const text = (name) => parameters.get(name) ?? undefined;
const source = new URL(text('source'), location.href).href;
const size = Number(text('bytes'));

const state = {
  ready: false,
  /** What a leech must be told: WebTorrent's .torrent file. */
  given: null,
  errors: [],
  /** Milliseconds after the start. */
  firstByteMs: null,
  doneMs: null,
  received: 0,
  fromHttp: 0,
  blamed: 0,
};
let startedAt = null;
const sinceStart = () => performance.now() - startedAt;

const CONTENDERS = {
  'bare channel': { seed: () => bareSeed(text('tracker'), source), leech: startBare },
  webtorrent: { seed: seedTorrent, leech: startTorrent },
  swarmseal: { seed: seedSwarmseal, leech: startSwarmseal },
};

window.__bench = {
  async metrics() {
    const wire = await window.__wire.totals();
    const openMs = wire.firstOpenAt === null || startedAt === null ? null : wire.firstOpenAt - startedAt;
    return { ...state, openMs, wire };
  },
  start(given) {
    startedAt = performance.now();
    begin(given).catch(fail);
  },
};

if (text('fault') !== undefined) {
  window.breakSending(text('fault'));
}
const own = CONTENDERS[text('contender')];
const library = { webtorrent: 'webtorrent', swarmseal: 'swarmseal' }[text('contender')];
const loaded = library === undefined ? null : await import(library);
const begin = own.leech;
if (text('role') === 'seed') {
  own.seed().then((given) => {
    state.given = given ?? null;
    state.ready = true;
  }, fail);
} else {
  state.ready = true;
}

function fail(error) {
  state.errors.push(`${error.code ?? error.name}: ${error.message}`);
}

function gotBytes(total) {
  if (total > 0) {
    state.firstByteMs ??= sinceStart();
  }
  state.received = total;
}

async function startBare() {
  await bareLeech(text('tracker'), size, gotBytes);
  state.doneMs = sinceStart();
}

/** As WebTorrent's documentation has it, without what a page cannot reach here (DHT, LSD) and with no STUN server to ask. */
function torrentClient() {
  return new loaded.default({
    dht: false,
    lsd: false,
    utPex: false,
    tracker: { rtcConfig: { iceServers: [] } },
  });
}

async function seedTorrent() {
  const blob = await (await fetch(source)).blob();
  const file = new File([blob], 'file.bin');
  const client = torrentClient();
  client.on('error', fail);
  const torrent = await new Promise((resolve) => client.seed(file, { announce: [text('tracker')] }, resolve));
  return [...torrent.torrentFile];
}

async function startTorrent(torrentFile) {
  const client = torrentClient();
  client.on('error', fail);
  const torrent = client.add(new Uint8Array(torrentFile));
  torrent.on('download', () => gotBytes(torrent.downloaded));
  await new Promise((resolve) => torrent.on('done', resolve));
  state.doneMs = sinceStart();
}

function joinOptions() {
  const fault = text('fault');
  return {
    manifest: text('manifest'),
    content: text('content'),
    trust: [text('trust')],
    tracker: text('tracker'),
    trackerKeys: [text('trackerKey')],
    policy: { share: 'on' },
    // The file has to fit: a seed that has thrown half of it away is none.
    store: { maxBytes: 2 * size },
    ...(fault === undefined ? {} : { assets: { worker: `/bench/worker.js?fault=${fault}` } }),
  };
}

async function seedSwarmseal() {
  const peer = await loaded.join(joinOptions());
  await peer.load(source);
  // It is in the swarm when the tracker has said so.
  while ((await peer.stats()).tracker !== 'joined') {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function startSwarmseal() {
  const peer = await loaded.join(joinOptions());
  peer.on('peer-blamed', () => (state.blamed += 1));
  const poll = setInterval(async () => {
    gotBytes((await peer.stats()).media.fromPeers);
  }, POLL_MS);
  const { fromHttp } = await peer.load(source, { deadline: PATIENCE_MS });
  state.doneMs = sinceStart();
  state.fromHttp = fromHttp;
  clearInterval(poll);
  gotBytes((await peer.stats()).media.fromPeers);
}
