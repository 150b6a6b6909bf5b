import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';

import { panicNow } from '../../core/core.js';
import type { EffectivePolicy, Joined, JoinRequest, Loaded, ToPage, ToWorker } from '../messages.js';

/** The whole worker with the real core, before a page that this test plays and a real server. */

const vectors = JSON.parse(
  readFileSync(new URL('../../../tests/vectors/files.json', import.meta.url), 'utf8'),
) as { key: string; contents: { name: string; sealed: string; assets: number[] }[] };
const content = vectors.contents.find(({ name }) => name === 'named_by_number');
const core = readFileSync(new URL('../../../pkg/core_bg.wasm', import.meta.url)).toString('base64');

const scope = globalThis as unknown as {
  onmessage: (event: { data: ToWorker }) => void;
  postMessage: (message: ToPage) => void;
};
const posted: ToPage[] = [];
let server: Server;
let manifest: string;
let altered = false;
let nextId = 1;

before(async () => {
  const [length = 0] = content?.assets ?? [];
  server = createServer((request, response) => {
    if (request.url === '/c/content.seal') response.end(Buffer.from(content?.sealed ?? '', 'hex'));
    else if (request.url?.startsWith('/c/master.m3u8') === true) response.end(asset(length));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  manifest = `http://127.0.0.1:${(server.address() as AddressInfo).port}/c/content.seal`;
  Date.now = () => 1_750_000_000_000;
  scope.postMessage = (message) => posted.push(message);
  await import('./worker.js');
  // Without the file, as where the page could not fetch it.
  tell({ type: 'start', wasm: `data:application/wasm;base64,${core}`, core: null });
});

after(() => {
  server.closeAllConnections();
  server.close();
});

test('a ping is answered at once', () => {
  tell({ type: 'ping' });
  assert.deepEqual(posted.pop(), { type: 'pong' });
});

test('a join verifies the manifest and says what it is of', async () => {
  const joined = (await answered({ type: 'join', join: 1, id: nextId++, request: request() })) as Joined;
  assert.equal(joined.version, 1);
  assert.equal(joined.content, 'wcHBwcHBwcHBwcHBwcHBwQ');
  assert.equal(joined.memory.seen[0]?.publisher, vectors.key);
});

test('what was handed out to be remembered is taken back', async () => {
  const first = (await answered({ type: 'join', join: 2, id: nextId++, request: request() })) as Joined;
  const again = { ...request(), memory: first.memory };
  assert.deepEqual(await answered({ type: 'join', join: 3, id: nextId++, request: again }), first);
});

test('joins fail with the rule that refuses them', async () => {
  const refusals = {
    wrong_content: { content: 'AAAAAAAAAAAAAAAAAAAAAA' },
    untrusted_key: { trust: ['ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'] },
    invalid_option: { trust: ['ed25519:'] },
    manifest_unreachable: { manifest: manifest.replace('content.seal', 'nothing.seal') },
  } satisfies Record<string, Partial<JoinRequest>>;
  for (const [code, part] of Object.entries(refusals)) {
    assert.equal(
      await failed({ type: 'join', join: 9, id: nextId++, request: { ...request(), ...part } }),
      code,
    );
  }
});

test('a manifest that the page fetched is taken as it is, and fetched again where it is of no use', async () => {
  const unreachable = manifest.replace('content.seal', 'nothing.seal');
  const sealed = Buffer.from(content?.sealed ?? '', 'hex');
  const asked = { ...request(), manifest: unreachable, sealed: new Blob([sealed]) };
  const joined = (await answered({ type: 'join', join: 4, id: nextId++, request: asked })) as Joined;
  assert.equal(joined.version, 1);
  for (const useless of [sealed.subarray(1), new Uint8Array(1 << 20)]) {
    const here = { ...request(), sealed: new Blob([useless]) };
    const again = (await answered({ type: 'join', join: 5, id: nextId++, request: here })) as Joined;
    assert.equal(again.version, 1);
    const nowhere = { ...asked, sealed: new Blob([useless]) };
    assert.equal(
      await failed({ type: 'join', join: 9, id: nextId++, request: nowhere }),
      'manifest_unreachable',
    );
  }
});

test('a load is answered with verified bytes and their signed type, a copy for each', async () => {
  const [one, two] = (await Promise.all([load('master.m3u8'), load('./x/../master.m3u8?token=1')])) as [
    Loaded,
    Loaded,
  ];
  assert.deepEqual(new Uint8Array(one.body), asset(content?.assets[0] ?? 0));
  assert.deepEqual(one.body, two.body);
  assert.notEqual(one.body, two.body);
  assert.equal(one.mediaType, 'text/plain');
  assert.equal(one.fromHttp, content?.assets[0]);
  assert(one.timing.startedMs <= one.timing.firstByteMs && one.timing.firstByteMs <= one.timing.doneMs);
});

test('a part of it is cut out of verified bytes', async () => {
  const part = (await load('master.m3u8', { first: 16_380, last: 16_389 })) as Loaded;
  assert.deepEqual(new Uint8Array(part.body), asset(content?.assets[0] ?? 0).subarray(16_380, 16_390));
});

test('what the manifest does not list is refused, wherever it lies', async () => {
  for (const url of ['nothing.bin', '../elsewhere.bin', 'https://other.example/c/master.m3u8']) {
    assert.equal(await failed(loading(1, url)), 'unlisted', url);
  }
});

test('altered bytes never arrive, and their source is named', async () => {
  await answered({ type: 'join', join: 4, id: nextId++, request: request() });
  altered = true;
  assert.equal(await failed(loading(4, 'master.m3u8')), 'corrupt_source');
  altered = false;
  const blamed = posted.find((message) => message.type === 'event' && message.event.type === 'source_blamed');
  assert.equal(blamed?.type === 'event' && 'path' in blamed.event && blamed.event.path, 'master.m3u8');
});

test('statistics cross in the names of the page', async () => {
  const stats = await answered({ type: 'stats', join: 1, id: nextId++ });
  assert(stats !== null && 'storeBytes' in stats);
  assert.equal(stats.storeBytes, content?.assets[0]);
  assert.equal(stats.tracker, 'off');
  assert.equal(stats.handle, null);
  const segments = await answered({ type: 'segments', join: 1, id: nextId++ });
  assert(Array.isArray(segments) && segments[0]?.httpReason === 'peers_off');
});

test('a cancelled load is answered as aborted, and so is a cancelled join', async () => {
  const question = loading(4, 'master.m3u8');
  const cancelled = failed(question);
  tell({ type: 'cancel', join: 4, id: question.id });
  assert.equal(await cancelled, 'aborted');
  const join: ToWorker = { type: 'join', join: 5, id: nextId++, request: request() };
  const given = failed(join);
  tell({ type: 'cancel', join: 5, id: join.id });
  assert.equal(await given, 'aborted');
});

test('after leaving every question is still answered', async () => {
  assert.equal(await answered({ type: 'leave', join: 4, id: nextId++ }), null);
  assert.equal(await answered({ type: 'leave', join: 4, id: nextId++ }), null);
  assert.equal(await failed(loading(4, 'master.m3u8')), 'left');
});

test('the page is asked before each request if it wants to be', async () => {
  const hooked = { ...request(), asksBeforeHttp: true };
  const joined = answered({ type: 'join', join: 6, id: nextId++, request: hooked });
  const hook = await next((message) => message.type === 'http-request');
  assert(hook.type === 'http-request');
  assert.equal(hook.url, manifest);
  tell({
    type: 'http-request-made',
    join: 6,
    id: hook.id,
    request: { url: manifest, headers: {}, credentials: null },
  });
  await joined;
});

// The last one: it leaves the core beyond use.
test('a panic throws its words, the core is refused from then on, and nothing comes after that', async () => {
  assert.throws(() => {
    panicNow();
  }, /panicked at src.wasm.poison\.rs.*\n?asked to panic/);
  tell({ type: 'stats', join: 1, id: nextId++ });
  const last = await next((message) => message.type === 'poisoned');
  assert(last.type === 'poisoned');
  assert.match(last.message, /the core has panicked/);
  const before = posted.length;
  tell({ type: 'ping' });
  tell(loading(1, 'master.m3u8'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(posted.length, before);
});

function request(): JoinRequest {
  const policy: EffectivePolicy = { sharing: 'off', uploadBps: null, uploadBytes: null };
  return {
    manifest,
    content: null,
    trust: [vectors.key],
    tracker: null,
    trackerKeys: [],
    policy,
    maxStoreBytes: 1 << 26,
    asksBeforeHttp: false,
    memory: null,
    head: null,
  };
}

function loading(join: number, path: string, range: { first: number; last: number } | null = null) {
  const url = new URL(path, manifest).href;
  return {
    type: 'load',
    join,
    id: nextId++,
    request: { url, range, deadlineMs: null },
  } as const;
}

function load(path: string, range: { first: number; last: number } | null = null): Promise<unknown> {
  return answered(loading(1, path, range));
}

/** Contents of the vectors' objects; see tests/vectors/README.md. */
function asset(length: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, n) => (n * 31) % 251);
  if (altered) bytes[length - 1] = 255;
  return bytes;
}

function tell(data: ToWorker): void {
  scope.onmessage({ data });
}

async function answered(question: Extract<ToWorker, { id: number }>) {
  tell(question);
  const answer = await next((message) => 'id' in message && message.id === question.id);
  assert(answer.type === 'answer', JSON.stringify(answer));
  return answer.body;
}

async function failed(question: Extract<ToWorker, { id: number }>): Promise<string> {
  tell(question);
  const answer = await next((message) => 'id' in message && message.id === question.id);
  assert(answer.type === 'failed', JSON.stringify(answer));
  return answer.failure.code;
}

async function next(wanted: (message: ToPage) => boolean): Promise<ToPage> {
  for (let n = 0; n < 1000; n += 1) {
    const found = posted.find(wanted);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the worker does not answer');
}
