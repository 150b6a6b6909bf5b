import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';

import type {
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
} from 'hls.js';

import { SwarmsealError } from '../errors.js';
import type { LoadOptions, LoadResult } from '../peer.js';
import { hlsConfig } from './hls.js';

const BYTES = new TextEncoder().encode('#EXTM3U');

interface Asked {
  url: string;
  options: LoadOptions;
  resolve: (transferMs: number, fromHttp?: number, fromPeers?: number) => void;
  reject: (error: Error) => void;
}

let asked: Asked[] = [];
let now = 0;

beforeEach(() => {
  asked = [];
  now = 0;
  mock.restoreAll();
  mock.method(performance, 'now', () => now);
});

const peer = {
  load: (url: string, options: LoadOptions = {}): Promise<LoadResult> =>
    new Promise((resolve, reject) => {
      const answer = (transferMs: number, fromHttp = 0, fromPeers = 7): void => {
        const timing = { startedMs: 0, firstByteMs: 0, doneMs: 0, transferMs };
        resolve({ data: BYTES.slice().buffer, mediaType: 'a/b', fromPeers, fromHttp, timing });
      };
      asked.push({ url, options, resolve: answer, reject });
    }),
};

type Outcome =
  | { kind: 'success'; data: unknown; stats: LoaderStats }
  | { kind: 'error'; code: number }
  | { kind: 'timeout' | 'abort'; stats: LoaderStats };

function start(
  which: 'loader' | 'fLoader' | 'pLoader',
  context: Partial<LoaderContext> = {},
  policy: object = {},
  config: Partial<HlsConfig> = {},
  Constructor = hlsConfig(peer)[which] as unknown as new (config: object) => Loader<LoaderContext>,
): { loader: Loader<LoaderContext>; outcomes: Outcome[] } {
  const loader = new Constructor(config);
  const outcomes: Outcome[] = [];
  const callbacks: LoaderCallbacks<LoaderContext> = {
    onSuccess: ({ data }, stats) => outcomes.push({ kind: 'success', data, stats: structuredClone(stats) }),
    onError: ({ code }) => outcomes.push({ kind: 'error', code }),
    onTimeout: (stats) => outcomes.push({ kind: 'timeout', stats }),
    onAbort: (stats) => outcomes.push({ kind: 'abort', stats }),
  };
  const loadPolicy = { maxTimeToFirstByteMs: 50, maxLoadTimeMs: 5000, timeoutRetry: null, errorRetry: null };
  loader.load(
    { url: 'https://cdn.example/a.m4s', responseType: 'arraybuffer', ...context } as LoaderContext,
    { loadPolicy: { ...loadPolicy, ...policy }, timeout: 0, maxRetry: 0 } as unknown as LoaderConfiguration,
    callbacks,
  );
  return { loader, outcomes };
}

async function settled(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

async function delivered(askedAt: number, deliveredAt: number, transferMs: number): Promise<LoaderStats> {
  now = askedAt;
  const { outcomes } = start('fLoader');
  now = deliveredAt;
  asked.at(-1)?.resolve(transferMs);
  await settled();
  const [outcome] = outcomes;
  assert.equal(outcome?.kind, 'success');
  return outcome.stats;
}

describe('hls.js loaders', () => {
  test('a byte range of hls.js, whose end is outside, becomes one whose end is inside', async () => {
    const { outcomes } = start('fLoader', { rangeStart: 100, rangeEnd: 200 });
    assert.deepEqual(asked[0]?.options.range, { first: 100, last: 199 });
    start('fLoader', { rangeStart: 0, rangeEnd: 0 });
    assert.equal(asked[1]?.options.range, undefined);
    asked[0].resolve(1);
    await settled();
    assert.deepEqual(outcomes[0]?.kind === 'success' && outcomes[0].data, BYTES.slice().buffer);
  });

  test('a playlist is text', async () => {
    const { outcomes } = start('pLoader', { responseType: 'text' });
    asked[0]?.resolve(1);
    await settled();
    assert.equal(outcomes[0]?.kind === 'success' && outcomes[0].data, '#EXTM3U');
  });

  test('a peer that has not joined yet is waited for, and one that cannot join is an error that may be tried again', async () => {
    let join!: (joined: typeof peer) => void;
    const joining = new Promise<typeof peer>((resolve) => (join = resolve));
    const loaderOf = (given: Promise<typeof peer>) =>
      hlsConfig(given).pLoader as unknown as new (config: object) => Loader<LoaderContext>;
    const { outcomes } = start('pLoader', {}, {}, {}, loaderOf(joining));
    assert.equal(asked.length, 0);
    join(peer);
    await settled();
    asked[0]?.resolve(1);
    await settled();
    assert.equal(outcomes[0]?.kind, 'success');
    const refused = Promise.reject(new SwarmsealError('manifest_unreachable', 'no answer'));
    const failed = start('pLoader', {}, {}, {}, loaderOf(refused)).outcomes;
    await settled();
    assert.deepEqual(failed, [{ kind: 'error', code: 503 }]);
  });

  test('waiting by choice lies before the first byte', async () => {
    const { loading } = await delivered(1000, 4000, 800);
    assert.deepEqual(loading, { start: 1000, first: 3200, end: 4000 });
  });

  test('bytes already held are told at the rate at which they came', async () => {
    const { loading, bwEstimate } = await delivered(1000, 1002, 800);
    assert.deepEqual(loading, { start: 202, first: 202, end: 1002 });
    assert.equal(bwEstimate, (BYTES.length * 8000) / 800);
  });

  test('what came from peers is told as no faster than the origin', async () => {
    const { length } = BYTES;
    const loader = hlsConfig(peer).fLoader as unknown as new (config: object) => Loader<LoaderContext>;
    const told: number[] = [];
    for (const [transferMs, fromHttp, fromPeers] of [
      [10, 0, 100_000],
      [400, 100_000, 0],
      [10, 0, 100_000],
      [900, 0, 100_000],
      [5, 1_000, 0],
      [10, 0, 100_000],
    ] as const) {
      const { outcomes } = start('fLoader', {}, {}, {}, loader);
      now += 10_000;
      asked.at(-1)?.resolve(transferMs, fromHttp, fromPeers);
      await settled();
      const [outcome] = outcomes;
      assert.equal(outcome?.kind, 'success');
      told.push(Math.round((length * 8000) / outcome.stats.bwEstimate));
    }
    assert.deepEqual(told, [10, 400, 400, 900, 5, 400]);
  });

  test('failures become statuses that hls.js knows what to do with', async () => {
    for (const [code, status] of [
      ['unlisted', 404],
      ['unavailable', 503],
      ['corrupt_source', 503],
      ['not_yet_stated', 503],
      ['left', 503],
    ] as const) {
      const { outcomes } = start('fLoader');
      asked.at(-1)?.reject(new SwarmsealError(code, ''));
      await settled();
      assert.deepEqual(outcomes, [{ kind: 'error', code: status }]);
    }
  });

  test('retries as the load policy says, and not what is not there', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const errorRetry = { maxNumRetry: 2, retryDelayMs: 100, maxRetryDelayMs: 150, backoff: 'exponential' };
    const { outcomes } = start('fLoader', {}, { errorRetry });
    for (const delay of [100, 150]) {
      asked.at(-1)?.reject(new SwarmsealError('unavailable', ''));
      await settled();
      const before = asked.length;
      mock.timers.tick(delay - 1);
      assert.equal(asked.length, before);
      mock.timers.tick(1);
      assert.equal(asked.length, before + 1);
    }
    asked.at(-1)?.reject(new SwarmsealError('unavailable', ''));
    await settled();
    assert.deepEqual([asked.length, outcomes], [3, [{ kind: 'error', code: 503 }]]);
    const unlisted = start('fLoader', {}, { errorRetry });
    asked.at(-1)?.reject(new SwarmsealError('unlisted', ''));
    await settled();
    assert.deepEqual([asked.length, unlisted.outcomes], [4, [{ kind: 'error', code: 404 }]]);
    mock.timers.reset();
  });

  test('times out after the whole load’s time, and gives the load up', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { outcomes } = start('fLoader');
    mock.timers.tick(4999);
    assert.equal(outcomes.length, 0);
    mock.timers.tick(1);
    assert.deepEqual([outcomes[0]?.kind, asked[0]?.options.signal?.aborted], ['timeout', true]);
    mock.timers.reset();
  });

  test('an abort reaches the peer, and nothing reaches hls.js after it', async () => {
    const { loader, outcomes } = start('fLoader');
    loader.abort();
    assert.equal(asked[0]?.options.signal?.aborted, true);
    asked[0].resolve(1);
    await settled();
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['abort'],
    );
    assert.equal(loader.stats.aborted, true);
    const destroyed = start('fLoader');
    destroyed.loader.destroy();
    asked[1]?.resolve(1);
    await settled();
    assert.deepEqual(destroyed.outcomes, []);
  });

  test('keys go to their own URL and never to the peer', async () => {
    const requests: Request[] = [];
    mock.method(globalThis, 'fetch', (request: Request) => {
      requests.push(request);
      return Promise.resolve(new Response(new Uint8Array(16)));
    });
    const { outcomes } = start('loader', { url: 'https://keys.example/1', headers: { Authorization: 'a' } });
    await settled();
    await new Promise(setImmediate);
    assert.equal(outcomes[0]?.kind, 'success');
    assert.equal(asked.length, 0);
    assert.deepEqual(
      [requests[0]?.url, requests[0]?.headers.get('Authorization')],
      ['https://keys.example/1', 'a'],
    );
  });

  test('hls.js’s own hook changes a key’s request', async () => {
    mock.method(globalThis, 'fetch', (request: Request) =>
      Promise.resolve(new Response(null, { status: request.credentials === 'include' ? 403 : 500 })),
    );
    const fetchSetup: HlsConfig['fetchSetup'] = ({ url }, init) =>
      new Request(url, { ...(init as RequestInit), credentials: 'include' });
    const { outcomes } = start('loader', {}, {}, { fetchSetup });
    await new Promise(setImmediate);
    assert.deepEqual(outcomes, [{ kind: 'error', code: 403 }]);
  });
});
