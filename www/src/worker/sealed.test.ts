import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';

import { Requests } from './requests.js';
import { fetchSealed } from './sealed.js';

let server: Server;
let url: URL;
let asked: IncomingMessage[];
let answer: (response: ServerResponse) => void;

before(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/content.seal?token=t`);
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  asked = [];
});

test('the server is asked each time, and what it sends is taken as it is', async () => {
  answer = (response) => response.end('sealed');
  assert.equal(Buffer.from(await fetched()).toString(), 'sealed');
  assert.equal(asked[0]?.url, '/content.seal?token=t');
});

test('it is tried again while that may help', async () => {
  answer = (response) => response.writeHead(asked.length < 3 ? 503 : 200).end('late');
  assert.equal(Buffer.from(await fetched()).toString(), 'late');
  assert.equal(asked.length, 3);
});

test('a failure says what is wrong, without tokens', async () => {
  answer = (response) => response.writeHead(404).end();
  await assert.rejects(fetched(), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'manifest_unreachable');
    assert.match(error.message, /status 404/);
    assert.doesNotMatch(error.message, /token/);
    return true;
  });
});

test('more than the core takes is not read to its end', async () => {
  answer = (response) => response.end(Buffer.alloc(1 << 20));
  await assert.rejects(fetched(), { code: 'malformed' });
  assert.equal(asked.length, 1);
});

test('aborting ends it at once', async () => {
  const controller = new AbortController();
  answer = () => {
    controller.abort();
  };
  await assert.rejects(fetched(controller.signal), { name: 'AbortError' });
  assert.equal(asked.length, 1);
});

function fetched(signal = new AbortController().signal): Promise<Uint8Array> {
  return fetchSealed(new Requests(url, null), url, 'no-cache', signal);
}
