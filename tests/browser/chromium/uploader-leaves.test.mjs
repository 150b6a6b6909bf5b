import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  Stage,
  findsPeers,
  goesAhead,
  outplays,
  playsTo,
  segmentsToFetch,
  stalls,
  until,
} from '../lib/stage.mjs';
import { objectsDone } from '../lib/sources.mjs';

// A segment of 3 Mbit takes half a second, so that there is a middle to leave in.
const UPLOAD_KBPS = 6000;
const HALF_SEGMENT = 190_000;

test('the only uploader is closed in mid-segment: no stall', async (t) => {
  const stage = await Stage.open(t);
  const uploader = await stage.viewer({ upload: UPLOAD_KBPS });
  await goesAhead(uploader, 10);
  const viewer = await stage.viewer();
  await findsPeers(viewer);
  await playsTo(viewer, 3);
  await until(
    'having the first part of a segment from the uploader',
    () => unfinished(viewer),
    (bytes) => bytes > 0 && bytes < HALF_SEGMENT,
  );
  await stage.closeViewer(uploader);
  const seen = await viewer.metrics();
  assert.ok(segmentsToFetch(seen) >= 5, `${segmentsToFetch(seen)} segments to fetch`);

  const after = await outplays(viewer, seen);
  assert.deepEqual(stalls(after), []);
  const completed = (await objectsDone(viewer)).filter(
    (object) => object.fromPeers > 0 && object.fromHttp > 0,
  );
  assert.ok(completed.length > 0, 'HTTP took over in mid-segment');
  assert.deepEqual((await stage.check(viewer)).wrong, []);
});

/** Bytes from peers of segments that are not complete yet. */
async function unfinished(viewer) {
  const done = await objectsDone(viewer);
  const { bytes } = await viewer.metrics();
  return bytes.peers - done.reduce((sum, { fromPeers }) => sum + fromPeers, 0);
}
