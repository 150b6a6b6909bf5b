import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, holds, playsTo } from '../lib/stage.mjs';

// Seconds, and the rendition to switch to there.
const JUMPS = [
  [30.7, 0],
  [6.3, 1],
  [44.5, 0],
  [16.9, 1],
  [50.1, 0],
  [2.7, 1],
];

test('seeking back and forth and switching renditions keep one connection per pair', async (t) => {
  const stage = await Stage.open(t, { stream: 'ladder' });
  const first = await stage.viewer({ height: 180 });
  await holds(first, 10);
  const second = await stage.viewer({ height: 180 });
  await findsPeers(second);

  for (const [to, level] of JUMPS) {
    await Promise.all([first, second].map((viewer) => jump(viewer, to, level)));
  }

  for (const viewer of [first, second]) {
    const seen = await viewer.metrics();
    assert.equal(seen.connectionsMade, 1);
    assert.equal(seen.peers, 1);
    assert.equal(seen.parseErrors, 0);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
  const { bytes } = await second.metrics();
  assert.ok(bytes.peers > 0);
});

async function jump(viewer, to, level) {
  await viewer.seek(to);
  await playsTo(viewer, to + 0.5);
  await viewer.evaluate((next) => (window.__viewer.hls.nextLevel = next), level);
  await playsTo(viewer, to + 2);
}
