import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo } from '../lib/stage.mjs';
import { objectsDone, shareFromPeers } from '../lib/sources.mjs';

const JOINS = 20;

test('a third viewer 30 s later gets at least 95 % from peers; 20 of 20 joins at any place play', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.viewer();
  await playsTo(first, 3);
  const second = await stage.viewer();
  await playsTo(first, 30);

  const third = await stage.viewer();
  await playsTo(third, 20);
  const later = (await objectsDone(third)).filter(({ index }) => index >= 2);
  assert.ok(later.length >= 8, `${later.length} segments`);
  assert.ok(shareFromPeers(later) >= 0.95, `${shareFromPeers(later)} of ${later.length} segments`);
  await stage.closeViewer(third);

  const random = seeded(7);
  for (let n = 0; n < JOINS; n += 1) {
    const start = Math.round(random() * 50);
    await sleep(random() * 500);
    const joiner = await stage.viewer({ start });
    await playsTo(joiner, start + 1.5, 15_000).catch((error) =>
      assert.fail(`join ${n + 1} at ${start} s: ${error.message}`),
    );
    if (n % 5 === 0) {
      await findsPeers(joiner);
    }
    await stage.closeViewer(joiner);
  }
  for (const viewer of [first, second]) {
    assert.deepEqual((await viewer.metrics()).stalls, []);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
});

function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
