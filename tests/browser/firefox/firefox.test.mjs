import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, segmentsToFetch, until } from '../lib/stage.mjs';

test('Firefox: one viewer plays, a second one is fed by the first, and goes on when the first leaves', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.viewer({}, 'firefox');
  await playsTo(first, 5);
  const second = await stage.viewer({}, 'firefox');
  await findsPeers(second);
  const fed = await playsTo(second, 8);
  assert.ok(fed.bytes.peers > 0);
  assert.ok(segmentsToFetch(fed) >= 5, `${segmentsToFetch(fed)} segments to fetch`);
  await stage.closeViewer(first);

  const after = await playsTo(second, fed.position + 12);
  assert.deepEqual(after.stalls, []);
  assert.equal(after.parseErrors, 0);
  assert.deepEqual((await stage.check(second)).wrong, []);
});

test('Firefox: without WebRTC it plays, verified, over HTTP', async (t) => {
  const stage = await Stage.open(t);
  const viewer = await stage.viewer({ webrtc: 'off' }, 'firefox');
  const seen = await playsTo(viewer, 5);
  assert.deepEqual(seen.stalls, []);
  assert.deepEqual((await stage.check(viewer)).wrong, []);
});

test('Firefox: seeking', async (t) => {
  const stage = await Stage.open(t);
  const viewer = await stage.viewer({}, 'firefox');
  await playsTo(viewer, 2);
  for (const to of [100, 20, 150]) {
    await viewer.seek(to);
    await until(
      `playing after ${to} s`,
      () => viewer.metrics(),
      ({ position }) => position > to + 1 && position < to + 10,
    );
  }
  assert.deepEqual((await stage.check(viewer)).wrong, []);
});
