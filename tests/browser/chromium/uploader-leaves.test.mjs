import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, segmentsToFetch, until } from '../lib/stage.mjs';

test('the only uploader is closed in mid-segment: no stall', async (t) => {
  const stage = await Stage.open(t);
  const uploader = await stage.viewer();
  await playsTo(uploader, 14);
  const viewer = await stage.viewer();
  await findsPeers(viewer);
  await playsTo(viewer, 5);
  // In mid-segment: bytes of peers are coming in right now.
  const before = (await viewer.metrics()).bytes.peers;
  await until(
    'bytes from the uploader',
    () => viewer.metrics(),
    ({ bytes }) => bytes.peers > before,
  );
  const seen = await viewer.metrics();
  assert.ok(segmentsToFetch(seen) >= 5, `${segmentsToFetch(seen)} segments to fetch`);
  await stage.closeViewer(uploader);

  const after = await playsTo(viewer, seen.position + 20);
  assert.deepEqual(after.stalls, []);
  assert.ok(after.bytes.http > seen.bytes.http, 'HTTP took over');
  assert.deepEqual((await stage.check(viewer)).wrong, []);
});
