import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';

import type { SwarmsealError } from './errors.js';
import type { Joined, JoinRequest, LoadRequest, ToPage, ToWorker } from './messages.js';
import { type Seat, WorkerLink } from './worker-link.js';

const WASM = new URL('https://page.example/core_bg.wasm');
const JOINED: Joined = {
  content: 'film',
  version: 1,
  expires: 0,
  memory: { seen: [], pins: [] },
};
const LOAD: LoadRequest = { url: 'https://page.example/a.m4s', range: null, deadlineMs: null };

/** Stands for every worker that the page makes. */
class FakeWorker {
  static made: FakeWorker[] = [];
  static refuse = false;
  readonly posted: ToWorker[] = [];
  terminated = false;
  onmessage: ((event: { data: ToPage }) => void) | null = null;
  onerror: ((event: { message: string; preventDefault: () => void }) => void) | null = null;
  onmessageerror: (() => void) | null = null;

  constructor(readonly url: URL | string) {
    if (FakeWorker.refuse) throw new Error('refused by CSP');
    FakeWorker.made.push(this);
  }

  postMessage(message: ToWorker): void {
    this.posted.push(message);
  }

  addEventListener(): void {
    // Only used to learn when a Blob URL may go.
  }

  terminate(): void {
    this.terminated = true;
  }

  say(message: ToPage): void {
    this.onmessage?.({ data: message });
  }

  break(message: string): void {
    this.onerror?.({ message, preventDefault: () => undefined });
  }

  asked<Type extends ToWorker['type']>(type: Type): Extract<ToWorker, { type: Type }>[] {
    return this.posted.filter((message) => message.type === type) as Extract<ToWorker, { type: Type }>[];
  }

  answer(type: 'join' | 'load', body: Extract<ToPage, { type: 'answer' }>['body']): void {
    const question = this.asked(type).at(-1);
    assert.ok(question, `nobody asked to ${type}`);
    this.say({ type: 'answer', join: question.join, id: question.id, body });
  }
}

class FakeSeat implements Seat {
  lostWithPeers: boolean[] = [];
  back = 0;
  error: SwarmsealError | null = null;

  constructor(readonly join: number) {}

  handle(): void {
    assert.fail('nothing is for the seat here');
  }

  lost(withPeers: boolean): JoinRequest {
    this.lostWithPeers.push(withPeers);
    return request(withPeers);
  }

  rejoined(): void {
    this.back += 1;
  }

  failed(error: SwarmsealError): void {
    this.error = error;
  }
}

function request(withPeers: boolean): JoinRequest {
  const tracker = withPeers ? 'wss://tracker.example/' : null;
  return {
    ...{ manifest: 'https://page.example/content.seal', content: null, trust: [], tracker, trackerKeys: [] },
    ...{ policy: { sharing: 'on', uploadBps: null, uploadBytes: null }, maxStoreBytes: 1 },
    ...{ asksBeforeHttp: false, memory: null, head: null },
  };
}

function current(): FakeWorker {
  const worker = FakeWorker.made.at(-1);
  assert.ok(worker);
  return worker;
}

/** Everything that does not wait for something else has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

let made = 0;

/** A link of its own for each test: links are shared by URL. */
async function joined(): Promise<{ link: WorkerLink; seat: FakeSeat }> {
  const link = WorkerLink.to(new URL(`https://page.example/worker.js?${made++}`), WASM);
  const seat = new FakeSeat(link.nextId());
  const joining = link.join(seat, request(true));
  current().answer('join', JOINED);
  assert.equal(await joining, JOINED);
  return { link, seat };
}

const reallyFetch = fetch;
const fetched = mock.method(globalThis, 'fetch', () => Promise.resolve(new Response('core')));
Object.assign(globalThis, { Worker: FakeWorker, location: { origin: 'https://page.example' } });

describe('the worker', () => {
  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setInterval'] });
    FakeWorker.made = [];
    FakeWorker.refuse = false;
  });

  test('serves every join of a page, and ends with the last', async () => {
    const { link, seat } = await joined();
    const second = new FakeSeat(link.nextId());
    void link.join(second, request(true));
    current().answer('join', JOINED);
    assert.equal(FakeWorker.made.length, 1);
    link.leave(second.join);
    assert.equal(current().terminated, false);
    link.leave(seat.join);
    assert.equal(current().terminated, true);
  });

  test('is sent the core that the page fetches meanwhile, or is told to fetch it itself', async () => {
    for (const [answer, core] of [
      [() => Promise.resolve(new Response('core')), 'core'],
      [() => Promise.resolve(new Response('nothing here', { status: 404 })), null],
      [() => Promise.reject(new TypeError('no connection')), null],
    ] as const) {
      fetched.mock.resetCalls();
      fetched.mock.mockImplementation(answer);
      const { link, seat } = await joined();
      assert.equal(fetched.mock.calls[0]?.arguments[0], WASM.href);
      await settled();
      const [start] = current().asked('start');
      assert.equal(start?.wasm, WASM.href);
      assert.equal(start.core === null ? null : await start.core.text(), core);
      link.leave(seat.join);
    }
  });

  test('of another origin is started by a script of ours', async () => {
    const link = WorkerLink.to(new URL('https://cdn.example/worker.js'), WASM);
    void link.join(new FakeSeat(1), request(true)).catch(() => null);
    const { url } = current();
    assert.match(String(url), /^blob:/);
    assert.equal(
      await (await reallyFetch(String(url))).text(),
      'importScripts("https://cdn.example/worker.js")',
    );
    link.leave(1);
  });

  test('that dies is replaced, and what was asked is asked again once it is back', async () => {
    const { link, seat } = await joined();
    const load = link.ask({ type: 'load', join: seat.join, id: link.nextId(), request: LOAD });
    current().say({ type: 'poisoned', message: 'index out of bounds' });
    assert.equal(FakeWorker.made.length, 2);
    assert.equal(FakeWorker.made[0]?.terminated, true);
    assert.deepEqual(current().asked('load'), [], 'not before it has joined');
    const later = link.ask({ type: 'load', join: seat.join, id: link.nextId(), request: LOAD });
    assert.equal(current().asked('join')[0]?.request.tracker, 'wss://tracker.example/');
    current().answer('join', JOINED);
    await settled();
    assert.deepEqual([current().asked('load').length, seat.back], [2, 1]);
    for (const { id } of current().asked('load')) {
      current().say({ type: 'answer', join: seat.join, id, body: null });
    }
    assert.deepEqual(await Promise.all([load, later]), [null, null]);
    link.leave(seat.join);
  });

  test('that dies twice comes back without peers; the third time is the end, said plainly', async () => {
    const { link, seat } = await joined();
    current().break('boom');
    current().answer('join', JOINED);
    await settled();
    current().break('boom');
    assert.equal(current().asked('join')[0]?.request.tracker, null);
    current().answer('join', JOINED);
    await settled();
    const load = link.ask({ type: 'load', join: seat.join, id: link.nextId(), request: LOAD });
    current().break('boom');
    await assert.rejects(load, { code: 'worker_failed', message: /3 times.*boom/ });
    assert.deepEqual(seat.lostWithPeers, [true, false]);
    assert.equal(seat.error?.code, 'worker_failed');
    assert.equal(FakeWorker.made.length, 3);
  });

  test('that dies while it joins is joined again by the one that takes its place', async () => {
    const link = WorkerLink.to(new URL(`https://page.example/worker.js?${made++}`), WASM);
    const seat = new FakeSeat(link.nextId());
    const joining = link.join(seat, request(true));
    current().say({ type: 'pong' });
    current().break('boom');
    assert.equal(current().asked('join').length, 1);
    current().answer('join', JOINED);
    assert.equal(await joining, JOINED);
    link.leave(seat.join);
  });

  test('that cannot join again fails its seat with the reason', async () => {
    const { link, seat } = await joined();
    const load = link.ask({ type: 'load', join: seat.join, id: link.nextId(), request: LOAD });
    current().break('boom');
    const [again] = current().asked('join');
    assert.ok(again);
    const failure = { code: 'expired', message: 'The manifest has expired.' };
    current().say({ type: 'failed', join: seat.join, id: again.id, failure });
    await assert.rejects(load, { code: 'expired' });
    assert.equal(seat.error?.code, 'expired');
  });

  test('that falls silent is replaced; one that answers is not', async () => {
    const { link, seat } = await joined();
    for (let n = 0; n < 20; n += 1) {
      mock.timers.tick(1000);
      current().say({ type: 'pong' });
    }
    assert.equal(FakeWorker.made.length, 1);
    mock.timers.tick(6000);
    assert.equal(FakeWorker.made.length, 2);
    link.leave(seat.join);
  });

  test('that never starts is an error that says where to look', async () => {
    const url = new URL(`https://page.example/worker.js?${made++}`);
    const joining = WorkerLink.to(url, WASM).join(new FakeSeat(1), request(true));
    current().break('');
    await assert.rejects(joining, { code: 'worker_unavailable', message: /CSP/ });
    FakeWorker.refuse = true;
    const refused = WorkerLink.to(url, WASM).join(new FakeSeat(1), request(true));
    await assert.rejects(refused, { code: 'worker_unavailable', message: /refused by CSP/ });
  });

  test('is told of a load that is given up, and its late answer is nobody’s', async () => {
    const { link, seat } = await joined();
    const stop = new AbortController();
    const id = link.nextId();
    const load = link.ask({ type: 'load', join: seat.join, id, request: LOAD }, stop.signal);
    stop.abort();
    await assert.rejects(load, { code: 'aborted', name: 'AbortError' });
    assert.deepEqual(current().posted.at(-1), { type: 'cancel', join: seat.join, id });
    current().say({ type: 'failed', join: seat.join, id, failure: { code: 'aborted', message: '' } });
    await assert.rejects(
      link.ask({ type: 'load', join: seat.join, id: link.nextId(), request: LOAD }, AbortSignal.abort()),
      { code: 'aborted' },
    );
    link.leave(seat.join);
  });
});
