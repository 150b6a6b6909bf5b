import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SwarmsealError } from './errors.js';
import { checkOptions, checkPolicy, type JoinOptions, type Policy } from './options.js';

Object.assign(globalThis, { document: { baseURI: 'https://page.example/watch/' } });

const KEY = `ed25519:${'A'.repeat(43)}`;
const GOOD: JoinOptions = { manifest: 'film/content.seal', trust: [KEY], policy: { share: 'on' } };

function code(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    assert.ok(error instanceof SwarmsealError);
    return error.code;
  }
  return 'accepted';
}

describe('join options', () => {
  test('URLs are taken relative to the page, and what is left out has its default', () => {
    const checked = checkOptions({ ...GOOD, tracker: '/tracker' });
    assert.deepEqual(checked.request, {
      manifest: 'https://page.example/watch/film/content.seal',
      content: null,
      trust: [KEY],
      tracker: 'wss://page.example/tracker',
      trackerKeys: [],
      maxStoreBytes: 64 * 1024 * 1024,
      asksBeforeHttp: false,
    });
  });

  test('who shares must be said, and the error tells why', () => {
    assert.throws(() => checkPolicy({} as Policy), { code: 'share_undecided', message: /consent.*uplink/ });
    assert.throws(() => checkPolicy(undefined), { code: 'share_undecided' });
    assert.throws(() => checkPolicy({ share: 'maybe' } as unknown as Policy), { code: 'share_undecided' });
    for (const share of ['ask', 'on', 'off'] as const) assert.equal(checkPolicy({ share }).share, share);
  });

  test('http: and ws: are for this machine only', () => {
    for (const [url, verdict] of [
      ['http://cdn.example/a.seal', 'insecure_transport'],
      ['ftp://cdn.example/a.seal', 'insecure_transport'],
      ['http://127.0.0.1.example/a.seal', 'insecure_transport'],
      ['http://10.0.0.1/a.seal', 'insecure_transport'],
      ['http://127.0.0.1:8080/a.seal', 'accepted'],
      ['http://[::1]:8080/a.seal', 'accepted'],
      ['http://localhost/a.seal', 'accepted'],
      ['http://demo.localhost/a.seal', 'accepted'],
      ['https://cdn.example/a.seal', 'accepted'],
    ] as const) {
      assert.equal(
        code(() => checkOptions({ ...GOOD, manifest: url })),
        verdict,
        url,
      );
    }
    assert.equal(
      code(() => checkOptions({ ...GOOD, tracker: 'ws://tracker.example/' })),
      'insecure_transport',
    );
  });

  test('a mistake is named by its field', () => {
    for (const [change, field] of [
      [{ trust: [] }, /^trust/],
      [{ trust: ['ed25519:short'] }, /^trust/],
      [{ trackerKeys: ['rsa:1'] }, /^trackerKeys/],
      [{ store: { maxBytes: -1 } }, /^store\.maxBytes/],
      [{ policy: { share: 'on', uploadKbps: Number.NaN } }, /^policy\.uploadKbps/],
      [{ policy: { share: 'on', onMetered: 'maybe' } }, /^policy\.onMetered/],
      [{ manifest: 'https://[' }, /^manifest/],
    ] as [object, RegExp][]) {
      assert.throws(() => checkOptions({ ...GOOD, ...change }), { code: 'invalid_option', message: field });
    }
  });
});
