import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';

import { SwarmsealError } from './errors.js';
import { Memory } from './memory.js';
import type { JoinRequest, Loaded, LoadRequest, ToWorker } from './messages.js';
import type { CheckedOptions } from './options.js';
import { Peer, PeerSeat } from './peer.js';
import type { WorkerLink } from './worker-link.js';

const BODY = new TextEncoder().encode('0123456789');
const page = new EventTarget();

Object.assign(globalThis, {
  document: { baseURI: 'https://page.example/watch/' },
  RTCPeerConnection: () => undefined,
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
});
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });

/** Stands for worker and core: serves one listed URL. */
class FakeLink {
  losses = 0;
  joins: JoinRequest[] = [];
  loads: LoadRequest[] = [];
  posted: ToWorker[] = [];
  left = false;
  started = false;

  start(): void {
    this.started = true;
  }

  nextId(): number {
    return 1;
  }

  join(_: unknown, request: JoinRequest): Promise<object> {
    this.joins.push(request);
    return Promise.resolve({ content: 'film', version: 4, expires: 0, memory: { seen: [], pins: [] } });
  }

  ask(question: ToWorker): Promise<unknown> {
    if (question.type !== 'load') return Promise.resolve(null);
    this.loads.push(question.request);
    const { url, range } = question.request;
    if (!url.startsWith('https://cdn.example/film/')) {
      return Promise.reject(new SwarmsealError('unlisted', `${url} is not listed`));
    }
    const timing = { startedMs: 0, firstByteMs: 1, doneMs: 2, transferMs: 1 };
    const body = (range ? BODY.slice(range.first, range.last + 1) : BODY.slice()).buffer;
    const loaded: Loaded = { body, mediaType: 'video/mp4', fromPeers: 10, fromHttp: 0, timing };
    return Promise.resolve(loaded);
  }

  post(message: ToWorker): void {
    this.posted.push(message);
  }

  leave(): void {
    this.left = true;
  }

  policies(): string[] {
    return this.posted.flatMap((message) => (message.type === 'policy' ? [message.policy.sharing] : []));
  }
}

const MANIFEST = 'https://cdn.example/film/content.seal';
let link: FakeLink;
let fetched: Request[];
let answerManifest: () => Promise<Response>;

beforeEach(() => {
  link = new FakeLink();
  fetched = [];
  mock.restoreAll();
  mock.method(globalThis, 'fetch', (request: Request | string) => {
    if (request === MANIFEST) return answerManifest();
    fetched.push(request as Request);
    return Promise.resolve(new Response('an ad', { headers: { 'Content-Type': 'text/plain' } }));
  });
  answerManifest = () => Promise.resolve(new Response('sealed'));
});

async function joined(change: Partial<CheckedOptions> = {}): Promise<{ peer: Peer; seat: PeerSeat }> {
  const asksBeforeHttp = change.changeRequest !== undefined;
  const options: CheckedOptions = {
    request: {
      ...{ manifest: MANIFEST, content: null, trust: [], trackerKeys: [], maxStoreBytes: 1, asksBeforeHttp },
      tracker: 'wss://tracker.example/',
    },
    ...{ policy: { share: 'on' }, changeRequest: null, rtc: {} },
    passThrough: ['https://ads.example/', 'https://cdn.example/'],
    ...change,
  };
  const seat = new PeerSeat(options, link as unknown as WorkerLink, new Memory());
  const peer = new Peer(seat);
  await seat.enter();
  return { peer, seat };
}

describe('a peer', () => {
  test('has the manifest fetched beside the worker’s script, and leaves to the worker what does not come', async () => {
    let startedFirst = false;
    for (const [answer, sealed] of [
      [() => Promise.resolve(new Response('sealed')), 'sealed'],
      [() => Promise.resolve(new Response('nothing here', { status: 404 })), null],
      [() => Promise.reject(new TypeError('redirected')), null],
    ] as const) {
      answerManifest = () => {
        startedFirst = link.started;
        return answer();
      };
      await joined();
      const given = link.joins.at(-1)?.sealed ?? null;
      assert.equal(given === null ? null : await given.text(), sealed);
      assert.equal(startedFirst, true);
    }
  });

  test('does not fetch the manifest itself where the page changes requests', async () => {
    answerManifest = () => assert.fail('asked');
    await joined({ changeRequest: () => ({}) });
    assert.equal(link.joins[0]?.sealed, undefined);
  });

  test('loads what is listed, whole or in part', async () => {
    const { peer } = await joined();
    const { data, mediaType, fromPeers } = await peer.load('https://cdn.example/film/a.mp4', {
      range: { first: 2, last: 4 },
      deadline: 500,
    });
    assert.deepEqual([new TextDecoder().decode(data), mediaType, fromPeers], ['234', 'video/mp4', 10]);
    assert.deepEqual(link.loads[0], {
      url: 'https://cdn.example/film/a.mp4',
      range: { first: 2, last: 4 },
      deadlineMs: 500,
      playsAt: undefined,
    });
    await assert.rejects(peer.load('a', { range: { first: 2, last: 1 } }), { code: 'bad_range' });
  });

  test('a prefix that covers listed URLs takes none of them out of verification', async () => {
    const { peer } = await joined();
    await peer.load('https://cdn.example/film/a.mp4');
    await peer.fetch('https://cdn.example/film/a.mp4');
    assert.deepEqual(fetched, []);
  });

  test('what is passed through is fetched directly and counted apart', async () => {
    const { peer, seat } = await joined();
    const { data, timing } = await peer.load('https://ads.example/1', { range: { first: 0, last: 4 } });
    assert.deepEqual([new TextDecoder().decode(data), timing], ['an ad', null]);
    assert.equal(fetched[0]?.headers.get('Range'), 'bytes=0-4');
    const response = await peer.fetch('https://ads.example/2', { method: 'POST', body: 'seen' });
    assert.equal(await response.text(), 'an ad');
    assert.equal(await fetched[1]?.text(), 'seen');
    await new Promise(setImmediate);
    assert.deepEqual(seat.passThrough, { requests: 2, bytes: 10 });
  });

  test('what is neither listed nor passed through is refused', async () => {
    const { peer } = await joined();
    for (const task of [
      peer.load('https://other.example/1'),
      peer.fetch('https://other.example/1'),
      peer.fetch('https://other.example/1', { method: 'POST' }),
    ]) {
      await assert.rejects(task, { code: 'unlisted' });
    }
    assert.deepEqual(fetched, []);
  });

  test('fetch answers with the signed type, and slices what only the length can tell', async () => {
    const { peer } = await joined();
    const whole = await peer.fetch('https://cdn.example/film/a.mp4');
    assert.deepEqual([whole.status, whole.headers.get('Content-Type')], [200, 'video/mp4']);
    const suffix = await peer.fetch('https://cdn.example/film/a.mp4', { headers: { Range: 'bytes=-3' } });
    assert.deepEqual([suffix.status, await suffix.text()], [206, '789']);
    assert.equal(link.loads[1]?.range, null);
    const head = await peer.fetch('https://cdn.example/film/a.mp4', { method: 'HEAD' });
    assert.deepEqual([head.headers.get('Content-Length'), await head.text()], ['10', '']);
  });

  test('the engine’s events come under their public names', async () => {
    const { peer, seat } = await joined();
    const heard: object[] = [];
    const off = peer.on('peer-blamed', (detail) => heard.push(detail));
    const detail = { peer: 1, handle: 'h', code: 'corrupt_chunk', track: 1, index: 2, chunk: 3 };
    seat.handle({ type: 'event', event: { type: 'peer_blamed', ...detail } });
    off();
    seat.handle({ type: 'event', event: { type: 'peer_blamed', ...detail } });
    assert.deepEqual(heard, [detail]);
  });

  test('without WebRTC, or without peers after a replacement, there is no tracker', async () => {
    const { seat } = await joined();
    assert.equal(link.joins[0]?.tracker, 'wss://tracker.example/');
    assert.equal(seat.lost(true).tracker, 'wss://tracker.example/');
    assert.equal(seat.lost(false).tracker, null);
    const { RTCPeerConnection } = globalThis;
    Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
    assert.equal(seat.lost(true).tracker, null);
    Object.assign(globalThis, { RTCPeerConnection });
  });

  test('policy, consent and the page’s life reach the engine', async () => {
    const { peer } = await joined({ policy: { share: 'ask' } });
    peer.consent();
    peer.setPolicy({ share: 'off' });
    peer.setPolicy({ share: 'on' });
    page.dispatchEvent(new Event('pagehide'));
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    assert.deepEqual(link.policies(), ['off', 'on', 'off', 'on', 'off', 'on']);
  });

  test('the request hook changes a URL, and its failure is told as such', async () => {
    const { seat } = await joined({
      changeRequest: (url) => {
        if (url.endsWith('b')) throw new Error('no token');
        return { url: `${url}?token=1`, headers: { A: 'b' } };
      },
    });
    for (const [id, name] of [
      [7, 'a'],
      [8, 'b'],
    ] as const) {
      seat.handle({ type: 'http-request', id, url: `https://cdn.example/film/${name}` });
    }
    await new Promise(setImmediate);
    const made = link.posted.find(({ type }) => type === 'http-request-made');
    const refused = link.posted.find(({ type }) => type === 'http-request-refused');
    assert.deepEqual(made, {
      ...{ type: 'http-request-made', join: 1, id: 7 },
      request: { url: 'https://cdn.example/film/a?token=1', headers: { A: 'b' }, credentials: null },
    });
    assert.ok(refused?.type === 'http-request-refused');
    assert.match(refused.message, /failed for.*no token/);
  });

  test('after leaving, everything is an error that says so', async () => {
    const { peer } = await joined();
    await peer.leave();
    assert.equal(link.left, true);
    await assert.rejects(peer.load('https://cdn.example/film/a.mp4'), { code: 'left' });
    await assert.rejects(peer.stats(), { code: 'left' });
    // It would be followed for good: nothing ends it any more.
    assert.throws(() => peer.attach({ media: null }), { code: 'left' });
    await peer.leave();
  });
});
