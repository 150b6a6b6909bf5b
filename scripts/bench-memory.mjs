// `npm run bench:memory [-- STORE_MIB]`: how much memory the core holds over a title of eleven minutes at 1.5 Mbit/s, after every
// segment. The whole worker runs here, before an origin on loopback, as fast as it can; there are no peers.

import { Blob } from 'node:buffer';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';

import { demoKeys } from './lib/content.mjs';
import { PKG, WORK } from './lib/paths.mjs';
import { green, red } from './lib/say.mjs';
import { emptyFolder, place, publish } from './lib/site.mjs';
import { media } from '../tests/browser/lib/media.mjs';

const SEGMENT_S = 2;
const BUFFER_S = 12;
const FIRST_S = 60;
const KIB = 1024;
const storeMiB = Number(process.argv[2] ?? 64);

const keys = await demoKeys();
const root = await emptyFolder(path.join(WORK, 'memory'));
await place(await media('long'), root);
await publish(root, keys.publisher.file);
const origin = createServer((request, response) => void answer(request, response));
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const base = `http://127.0.0.1:${origin.address().port}/`;

let memory = null;
const kib = () => memory.buffer.byteLength / KIB;
const answers = new Map();
let lastId = 0;
const page = await startWorker();
const core = await readFile(path.join(PKG, 'core_bg.wasm'));
page.tell({ type: 'start', wasm: '', core: new Blob([core]) });
await ask('join', {
  ...{ manifest: `${base}content.seal`, content: null, trust: [keys.publisher.publicKey] },
  ...{ tracker: null, trackerKeys: [], policy: { sharing: 'on', uploadBps: null, uploadBytes: null } },
  ...{ maxStoreBytes: storeMiB * KIB * KIB, asksBeforeHttp: false, memory: null, head: null },
});
const { body: playlist } = await load('index.m3u8');
const segments = new TextDecoder()
  .decode(playlist)
  .split('\n')
  .filter((line) => /^[^#]/.test(line));
let first = 0;
let last = 0;
for (const [n, segment] of segments.entries()) {
  await load(segment);
  const bufferedEnd = (n + 1) * SEGMENT_S;
  const position = Math.max(0, bufferedEnd - BUFFER_S);
  const state = { position, rate: 1, bufferedEnd, paused: false, seeking: false };
  page.tell({ type: 'player', join: 1, state });
  await ask('stats');
  if (kib() !== last) {
    last = kib();
    console.log(`${String(bufferedEnd).padStart(4)} s  ${last} KiB`);
  }
  if (bufferedEnd <= FIRST_S) first = last;
}
const grown = last - first;
const line = `${last} KiB after ${segments.length * SEGMENT_S} s, ${grown} more than after ${FIRST_S} s`;
console.log(grown > 0 ? red(line) : green(line));
process.exit(grown > 0 ? 1 : 0);

async function answer({ url, headers }, response) {
  const body = await readFile(path.join(root, path.basename(path.dirname(url)), path.basename(url)));
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (from === undefined) response.end(body);
  else response.writeHead(206).end(body.subarray(Number(from), Number(to) + 1));
}

/** The script that ships, and its memory. */
async function startWorker() {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...given) {
      super(...given);
      ({ memory } = this.exports);
    }
  };
  globalThis.postMessage = (message) => {
    if (message.type === 'poisoned' || message.type === 'failed') throw new Error(JSON.stringify(message));
    answers.get(message.id)?.(message.body);
  };
  vm.runInThisContext(await readFile(path.join(PKG, 'worker.js'), 'utf8'));
  return { tell: (data) => globalThis.onmessage({ data }) };
}

function ask(type, request) {
  return new Promise((resolve) => {
    const id = (lastId += 1);
    answers.set(id, resolve);
    page.tell({ type, join: 1, id, request });
  });
}

function load(name) {
  return ask('load', { url: base + name, range: null, deadlineMs: null });
}
