import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkRange, parseRange, verifiedResponse } from './http-semantics.js';

const BODY = new TextEncoder().encode('0123456789').buffer;

describe('Range', () => {
  test('one range, as in RFC 9110', () => {
    assert.equal(parseRange(null), null);
    assert.deepEqual(parseRange('bytes=0-0'), { first: 0, last: 0 });
    assert.deepEqual(parseRange(' bytes = 5 - 9 '), { first: 5, last: 9 });
    assert.deepEqual(parseRange('bytes=5-'), { first: 5, last: null });
    assert.deepEqual(parseRange('bytes=-5'), { suffix: 5 });
  });

  test('anything else is refused, not guessed at', () => {
    for (const header of [
      'bytes=',
      'bytes=-',
      'bytes=9-5',
      'bytes=0-1,4-5',
      'lines=0-1',
      `bytes=0-${2 ** 60}`,
    ]) {
      assert.throws(() => parseRange(header), { code: 'bad_range' }, header);
    }
    for (const [first, last] of [
      [-1, 4],
      [0.5, 4],
      [4, Number.NaN],
    ] as const) /* prettier-ignore */ {
      assert.throws(() => checkRange({ first, last }), { code: 'bad_range' });
    }
  });
});

describe('a response from verified bytes', () => {
  test('says the signed type, and nothing that a server said', async () => {
    const response = verifiedResponse('https://cdn.example/a.mp4', BODY, 'video/mp4', null);
    assert.equal(response.status, 200);
    assert.equal(response.url, 'https://cdn.example/a.mp4');
    assert.deepEqual(
      [...response.headers],
      [
        ['content-length', '10'],
        ['content-type', 'video/mp4'],
        ['x-content-type-options', 'nosniff'],
      ],
    );
    assert.equal(await response.text(), '0123456789');
  });

  test('a range is answered as one', async () => {
    const closed = verifiedResponse('https://a.example/', BODY.slice(2, 5), 'a/b', { first: 2, last: 4 });
    assert.deepEqual([closed.status, closed.headers.get('Content-Range')], [206, 'bytes 2-4/*']);
    assert.equal(await closed.text(), '234');
    const rest = verifiedResponse('https://a.example/', BODY, 'a/b', { first: 7, last: null });
    assert.equal(rest.headers.get('Content-Range'), 'bytes 7-9/10');
    assert.equal(await rest.text(), '789');
    const suffix = verifiedResponse('https://a.example/', BODY, 'a/b', { suffix: 2 });
    assert.equal(suffix.headers.get('Content-Range'), 'bytes 8-9/10');
    assert.equal(await suffix.text(), '89');
  });

  test('a range past the end is an error', () => {
    assert.throws(() => verifiedResponse('https://a.example/', BODY, 'a/b', { first: 10, last: null }), {
      code: 'bad_range',
    });
  });
});
