import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ObjectId } from './batch.js';
import { CHUNK, Store } from './store.js';

const video = { track: 1, index: 7 };
const audio = { track: 2, index: 7 };

test('spans are assembled in their order, across chunks and objects, in a buffer of their own', () => {
  const store = new Store();
  store.put(video, 0, filled(CHUNK, 1));
  store.put(video, 1, filled(CHUNK, 2));
  store.put(video, 2, filled(100, 3));
  store.put(audio, 0, filled(10, 4));
  const body = store.assemble([
    { object: audio, first: 2, length: 3 },
    { object: video, first: CHUNK - 1, length: CHUNK + 3 },
  ]);
  assert(body !== null);
  const bytes = new Uint8Array(body);
  assert.deepEqual([...bytes.subarray(0, 5)], [4, 4, 4, 1, 2]);
  assert.equal(bytes.length, 3 + CHUNK + 3);
  assert.deepEqual([...bytes.subarray(-3)], [2, 3, 3]);
  bytes.fill(0);
  assert.deepEqual(
    new Uint8Array(store.assemble([{ object: audio, first: 0, length: 1 }]) ?? []),
    new Uint8Array([4]),
  );
});

test('nothing is an answer too', () => {
  assert.equal(new Store().assemble([])?.byteLength, 0);
});

test('a chunk that is not held is not made up', () => {
  const store = new Store();
  store.put(video, 1, filled(CHUNK, 2));
  assert.equal(store.assemble([{ object: video, first: 0, length: CHUNK + 1 }]), null);
  assert.equal(store.message(filled(2, 9), video, 0, 2), null);
});

test('a message is its head and the chunks after it', () => {
  const store = new Store();
  store.put(video, 3, filled(CHUNK, 5));
  store.put(video, 4, filled(7, 6));
  const message = store.message(filled(2, 9), video, 3, 2);
  assert.equal(message?.length, 2 + CHUNK + 7);
  assert.deepEqual([message[1], message[2], message.at(-1)], [9, 5, 6]);
});

test('an object that was evicted is not held, and no other goes with it', () => {
  const store = new Store();
  store.put(video, 0, filled(100, 1));
  store.put(video, 0, filled(40, 2));
  store.put(audio, 0, filled(2, 3));
  assert.equal(held(store, video), 40);
  store.evict(video);
  assert.equal(held(store, video), undefined);
  assert.equal(held(store, audio), 2);
  store.clear();
  assert.equal(held(store, audio), undefined);
});

test('no two objects share a place', () => {
  const store = new Store();
  const objects = [
    { track: 0, index: 131_071 },
    { track: 1, index: 131_071 },
    { track: 1023, index: 0 },
  ];
  for (const [n, object] of objects.entries()) store.put(object, 0, filled(n + 1, 1));
  assert.deepEqual(
    objects.map((object) => held(store, object)),
    [1, 2, 3],
  );
});

/** Length of the first chunk. */
function held(store: Store, object: ObjectId): number | undefined {
  return store.message(filled(0, 0), object, 0, 1)?.length;
}

function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}
