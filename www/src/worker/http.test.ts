import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';

import type { HttpRequest } from '../messages.js';
import type { FetchOrder } from './batch.js';
import { Ended, HttpSource, type BodyForm } from './http.js';
import { Requests, refusedByPage, type RequestHook } from './requests.js';
import { CHUNK } from './store.js';

const BODY = Uint8Array.from({ length: 3 * CHUNK + 100 }, (_, n) => (n * 31) % 251);

let server: Server;
let base: URL;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

before(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a/content.seal?token=m`);
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  asked = [];
  answer = (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) response.end(BODY);
    else response.writeHead(206).end(BODY.subarray(Number(range[1]), Number(range[2]) + 1));
  };
});

test('a whole resource comes in pieces of 16 KiB, by one plain GET', async () => {
  const seen = await fetchAll(order({ length: BODY.length }));
  assert.equal(seen.outcome, Ended.Complete);
  assert.deepEqual(
    seen.got.map(({ length }) => length),
    [CHUNK, CHUNK, CHUNK, 100],
  );
  assert.deepEqual(joined(seen.got), BODY);
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.method, 'GET');
  assert.equal(asked[0].headers.range, undefined);
  assert.equal(asked[0].url, '/a/v/1.m4s?token=m');
});

test('pieces are right whatever blocks the network brings, each in a buffer of its own', async () => {
  answer = (_, response) => {
    void (async () => {
      for (let at = 0; at < BODY.length; at += 5000) {
        response.write(BODY.subarray(at, at + 5000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    })();
  };
  const seen = await fetchAll(order({ length: BODY.length }));
  assert.deepEqual(joined(seen.got), BODY);
  assert.equal(new Set(seen.got.map(({ buffer }) => buffer)).size, 4);
  assert(seen.got.every(({ byteOffset }) => byteOffset === 0));
});

test('a range is asked for as one', async () => {
  const seen = await fetchAll(order({ range: { first: 10, last: CHUNK + 19 }, length: CHUNK + 10 }));
  assert.equal(asked[0]?.headers.range, `bytes=10-${CHUNK + 19}`);
  assert.equal(seen.outcome, Ended.Complete);
  assert.deepEqual(joined(seen.got), BODY.subarray(10, CHUNK + 20));
});

test('a server that ignores Range is cut short', async () => {
  answer = (_, response) => response.end(BODY);
  const seen = await fetchAll(order({ range: { first: 20_000, last: 40_000 }, length: 20_001 }));
  assert.equal(seen.outcome, Ended.Complete);
  assert.deepEqual(joined(seen.got), BODY.subarray(20_000, 40_001));
});

test('a sheet comes in one piece', async () => {
  const seen = await fetchAll(order({ range: { first: 0, last: 49_000 }, length: 49_001 }), 'whole');
  assert.equal(seen.outcome, Ended.Complete);
  assert.deepEqual(seen.sheets, [BODY.slice(0, 49_001)]);
});

test('a file of unknown length comes in one piece, up to a limit', async () => {
  const seen = await fetchAll(order({ length: BODY.length }), 'any');
  assert.equal(seen.outcome, Ended.Complete);
  assert.deepEqual(seen.sheets, [BODY]);
  const long = await fetchAll(order({ length: BODY.length - 1 }), 'any');
  assert.deepEqual([long.outcome, long.sheets], [Ended.WrongLength, []]);
});

test('more or fewer bytes than signed are told apart from all of them', async () => {
  assert.equal((await fetchAll(order({ length: BODY.length - 1 }))).outcome, Ended.WrongLength);
  assert.equal((await fetchAll(order({ length: BODY.length + 1 }))).outcome, Ended.WrongLength);
});

test('a status that is no success is reported', async () => {
  answer = (_, response) => response.writeHead(403).end('no');
  assert.equal((await fetchAll(order({ length: 2 }))).outcome, 403);
});

test('a connection that breaks is a failure of the network', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Length': BODY.length });
    response.write(BODY.subarray(0, CHUNK), () => response.destroy());
  };
  assert.equal((await fetchAll(order({ length: BODY.length }))).outcome, Ended.Network);
});

test('a redirect is followed', async () => {
  answer = (request, response) => {
    if (request.url?.startsWith('/b/') === true) response.end(BODY);
    else response.writeHead(302, { Location: '/b/elsewhere' }).end();
  };
  assert.equal((await fetchAll(order({ length: BODY.length }))).outcome, Ended.Complete);
});

test('an aborted request ends as such, a closed source says nothing', async () => {
  answer = (_, response) => response.write(BODY.subarray(0, CHUNK));
  const seen = collector();
  const source = new HttpSource(requests(null), seen);
  source.start(order({ length: BODY.length }), 'pieces');
  await until(() => seen.got.length === 1);
  source.abort(1);
  await until(() => seen.outcome !== undefined);
  assert.equal(seen.outcome, Ended.Aborted);
  const silent = collector();
  const closed = new HttpSource(requests(null), silent);
  closed.start(order({ length: BODY.length }), 'pieces');
  await until(() => silent.got.length === 1);
  closed.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(silent.outcome, undefined);
});

test('the query that a player used for a path is used again for it', async () => {
  const known = requests(null);
  known.remember('v/1.m4s', new URL('v/1.m4s?token=p', base).href);
  await fetchAll(order({ length: BODY.length }), 'pieces', known);
  assert.equal(asked[0]?.url, '/a/v/1.m4s?token=p');
  assert.equal(known.urlOf('v/2.m4s').search, '?token=m');
});

test('the page may rewrite a request', async () => {
  const rewrite: RequestHook = (url) =>
    Promise.resolve({ url: `${url}&more=1`, headers: { Authorization: 'Bearer x' }, credentials: 'omit' });
  await fetchAll(order({ length: BODY.length }), 'pieces', requests(rewrite));
  assert.equal(asked[0]?.url, '/a/v/1.m4s?token=m&more=1');
  assert.equal(asked[0].headers.authorization, 'Bearer x');
});

test('what the page refuses or sends into the open is not asked for', async () => {
  const refuse = await fetchAll(
    order({ length: 1 }),
    'pieces',
    requests(() => Promise.reject(refusedByPage('no token'))),
  );
  assert.deepEqual([refuse.outcome, refuse.warnings], [Ended.Network, ['http_request_refused']]);
  const open: HttpRequest = { url: 'http://media.example/1', headers: {}, credentials: null };
  const insecure = await fetchAll(
    order({ length: 1 }),
    'pieces',
    requests(() => Promise.resolve(open)),
  );
  assert.deepEqual([insecure.outcome, insecure.warnings], [Ended.Network, ['insecure_transport']]);
  assert.equal(asked.length, 0);
});

function order(part: Partial<FetchOrder>): FetchOrder {
  return { fetch: 1, path: 'v/1.m4s', range: null, length: 0, reload: false, ...part };
}

function requests(hook: RequestHook | null): Requests {
  return new Requests(base, hook);
}

function collector() {
  const got: Uint8Array[] = [];
  const sheets: Uint8Array[] = [];
  const warnings: string[] = [];
  return {
    got,
    sheets,
    warnings,
    outcome: undefined as number | undefined,
    piece(_: number, index: number, bytes: Uint8Array): void {
      assert.equal(index, got.length, 'in order');
      got.push(bytes);
    },
    sheet(_: number, bytes: Uint8Array): void {
      sheets.push(bytes);
    },
    ended(_: number, outcome: number): void {
      this.outcome = outcome;
    },
    warn(code: string): void {
      warnings.push(code);
    },
  };
}

async function fetchAll(what: FetchOrder, body: BodyForm = 'pieces', from = requests(null)) {
  const seen = collector();
  new HttpSource(from, seen).start(what, body);
  await until(() => seen.outcome !== undefined);
  return seen;
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 500 && !condition(); n += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert(condition(), 'in time');
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
