import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, playsTo } from '../lib/stage.mjs';

const WORKER = '/pkg/worker.js';
const CORE = '/pkg/core_bg.wasm';
const MANIFEST = '/content/content.seal';
const PLAYLIST = '/content/v180/index.m3u8';

test('what verification needs is fetched beside what the player waits for, and no more than that', async (t) => {
  // The first is not answered before the second was asked for: if that waited for the first, nothing would play.
  const beside = [
    [WORKER, isPath(CORE)],
    [CORE, isPath(MANIFEST)],
    [MANIFEST, isPath(WORKER)],
    [PLAYLIST, isIndex],
  ].map(([waits, isAwaited]) => ({ waits, isAwaited, ...resolvers() }));
  const held = (path) => {
    beside.filter(({ isAwaited }) => isAwaited(path)).forEach(({ resolve }) => resolve());
    return beside.find(({ waits }) => waits === path)?.promise;
  };
  const stage = await Stage.open(t, { stream: 'ladder', faults: { held } });
  const viewer = await stage.viewer({ height: 180 });
  await playsTo(viewer, 1);

  const { log } = stage.origin;
  const times = (wanted) => log.filter(({ path }) => wanted(path)).length;
  assert.deepEqual(
    [WORKER, CORE, MANIFEST, PLAYLIST].map((path) => times(isPath(path))),
    [1, 1, 1, 1],
    'each is asked for once',
  );
  assert.equal(times(isIndex), 1, 'of three renditions the index of the one that plays');
  assert.deepEqual((await stage.check(viewer)).wrong, []);
});

function isPath(path) {
  return (other) => other === path;
}

function isIndex(path) {
  return path.endsWith('.index');
}

function resolvers() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}
