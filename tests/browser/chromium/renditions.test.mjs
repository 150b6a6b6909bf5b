import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, playsTo } from '../lib/stage.mjs';

const PLAY_S = 24;

test('with a 2 Mbit/s origin and fast peers, renditions oscillate no more than with hls.js alone', async (t) => {
  const stage = await Stage.open(t, { stream: 'ladder', faults: { bytesPerSecond: 2_000_000 / 8 } });
  const alone = await stage.viewer({ swarmseal: 'off' });
  await playsTo(alone, PLAY_S, 90_000);
  const reference = reversals(await levels(alone));
  await stage.closeViewer(alone);

  const first = await stage.viewer();
  await playsTo(first, 10);
  const second = await stage.viewer();
  await playsTo(second, PLAY_S, 90_000);
  const found = reversals(await levels(second));
  assert.ok(found <= Math.max(1, reference), `${found} changes of direction, hls.js alone has ${reference}`);
  assert.deepEqual((await stage.check(second)).wrong, []);
});

function levels(viewer) {
  return viewer.evaluate(() => window.__viewer.record.levels.map(({ level }) => level));
}

/** How often the rendition went up after it had gone down, or down after up. */
function reversals(sequence) {
  const steps = sequence
    .slice(1)
    .map((level, n) => Math.sign(level - sequence[n]))
    .filter((step) => step !== 0);
  return steps.slice(1).filter((step, n) => step !== steps[n]).length;
}
