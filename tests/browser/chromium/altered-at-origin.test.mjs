import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, playsTo, segmentsToFetch, stalls, until } from '../lib/stage.mjs';

const ALTERED = 's006.m4s';
const ALTERED_AT_S = 12;

test('one byte of one segment altered at the origin: it reaches no player, the origin is named, and peers help out', async (t) => {
  let altering = false;
  const alter = (path, bytes, offset) => {
    if (altering && path.endsWith(ALTERED) && offset === 16_384 * 3) {
      bytes[100] ^= 1;
    }
  };
  const stage = await Stage.open(t, { faults: { alter } });
  // One viewer has the segment from better days.
  const healthy = await stage.viewer();
  await until(
    'holding the segment',
    () => healthy.metrics(),
    ({ bufferedEnd }) => bufferedEnd > 16,
  );
  altering = true;

  const viewer = await stage.viewer({ share: 'on', tracker: null });
  const early = await until(
    'the first frame',
    () => viewer.metrics(),
    ({ firstFrameMs }) => firstFrameMs !== null,
  );
  assert.ok(segmentsToFetch(early) >= 5, `${segmentsToFetch(early)} segments to fetch`);
  const [blamed] = await until(
    'blaming the origin',
    () => viewer.events('source-blamed'),
    (events) => events.length > 0,
  );
  assert.match(blamed.path, new RegExp(`${ALTERED}$`));
  assert.equal(blamed.chunk, 3);
  assert.deepEqual((await stage.check(viewer)).wrong, []);
  await stage.closeViewer(viewer);

  const helped = await stage.viewer({ start: ALTERED_AT_S - 6 });
  const seen = await playsTo(helped, ALTERED_AT_S + 3);
  assert.deepEqual(stalls(seen), []);
  assert.deepEqual((await stage.check(helped)).wrong, []);
});
